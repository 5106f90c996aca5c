"""Word problems about ratios: times as many, half as many, fractions of a number, percent."""

from replication.testbed.story_frames import tale
from replication.testbed.story_parts import Scenario

COMPARING = (
    tale(
        "k:2,2,2,3,3,4,5,6,7,8,10 a:2-60 > t=k*a",
        """{B} <has/had> {a#n}. {A} <has/had> {k*} as many {n} as {B}. How many {n} <does/did> {A} have?

        {A} <has/had> {k*} as many {n} as {B}. If {B} <has/had> {a#n}, how many {n} <does/did> {A} have?

        {B} {verb.ed} {a#n} [yesterday|on {day}|last week]. {A} {verb.ed} {k*} as many. How many did {A}
        {verb}?

        There <are/were> {a} {color} {n} and {k*} as many {color2} {n} [in the {room}|at the {place}|].
        How many {color2} {n} <are/were> there?

        {B} <finds/found> {a#n} at the {place}. {A} <finds/found> {k*} that [number|amount]. How many {n}
        <does/did> {A} find?

        If {B} has {a#n} and {A} has {k*} the number of {n} that {B} has, how many {n} does {A} have?""",
        n="things|sports|snacks",
        verb=("sell", "collect", "buy", "make", "pick", "find", "use", "count"),
        weight=2.0,
    ),
    tale(
        "k:2-8 b:2-40 a=k*b > t=a/k",
        """{B} <has/had> {a#n}. {A} <has/had> {k/} as many {n} as {B}. How many {n} <does/did> {A} have?

        {B} <has/had> {a#n}, which <is/was> {k*} as many as {A} <has/had>. How many {n} <does/did> {A}
        have?

        {A} <has/had> {k/} as many {n} as {B}. If {B} <has/had> {a}, how many <does/did> {A} have?

        There <are/were> {a} {color} {n} and {k/} as many {color2} {n}. How many {color2} {n} <are/were>
        there?

        {B} <has/had> {k*} as many {n} as {A}. {B} <has/had> {a#n}. How many {n} <does/did> {A} have?""",
        n="things|sports|snacks",
        weight=1.5,
    ),
    tale(
        "k:2,2,2,3,3,4,5,6,8 a:2-60 > t=k*a s=t+a",
        """{B} <has/had> {a#n}. {A} <has/had> {k*} as many {n} as {B}. How many {n} <do/did> they have
        [together|altogether|in total|in all| combined]?

        {A} <has/had> {k*} as many {n} as {B}. If {B} <has/had> {a#n}, how many {n} <do/did> {A} and {B}
        have [together|altogether|in total]?

        {A} {verb.ed} {a#n} [on {day}|yesterday|last week|in {month}|last year]. [Then|After that], {A.he}
        {verb.ed} {k*} as many [on {day2}|the next day|today|this week|the following month]. How many {n}
        did {A~} {verb} [altogether|in all|in total]?

        {A} {verb.ed} {a} {color} {n} and {k*} as many {color2} {n}. How many {n} did {A~} {verb} [in
        all|altogether|in total|]?

        There <are/were> {a} [boys|men|adults] [in a class|in the club|at the {place}|at the {event}].
        There <are/were> {k*} as many [girls|women|children]. How many people <are/were> there [in
        all|altogether|in total]?

        There <are/were> {a#n} in [one|the first|a small|the blue] {box} and {k*} as many in [another|the
        second|a big|the red] {box}. What <is/was> the total number of {n}?

        {A} <pays/paid> {a$} for a {c.one}. {A.he} also <buys/bought> a {d.one} that <costs/cost> {k*} as
        much. How much <does/did> {A~} [spend|pay] [in all|altogether|]?

        {B} <runs/ran> {a} [miles|laps|kilometers] and {A} <runs/ran> {k*} as far. How far <do/did> they
        run in total?

        {A} <walks/walked> {a} miles in the first hour and {k*} as far in the second hour. How many miles
        <does/did> {A~} walk [altogether|in total|]?""",
        n="things|sports|snacks",
        box=("box", "bag", "basket", "room", "jar", "pile", "garden"),
        c="shopping",
        d="~c",
        verb=("sell", "collect", "buy", "make", "pick", "find", "use", "see", "count", "receive"),
        about="they",
        weight=2.5,
    ),
    tale(
        "k:2,2,2,3,3,4,5,6,8 a:2-60 > t=k*a s=t-a",
        """{B} <has/had> {a#n}. {A} <has/had> {k*} as many {n} as {B}. How many more {n} <does/did> {A} have
        [than {B}|]?

        {B} <runs/ran> {a} miles. {A} <runs/ran> {k*} as far. How much farther <does/did> {A} run [than
        {B}|]?

        A {c.one} costs {a$} and a {d.one} costs {k*} as much. How much more does the {d.one} cost?

        There <are/were> {a} cats and {k*} as many dogs [at the shelter|in the park|in the pet store]. How
        many more dogs than cats <are/were> there?""",
        n="things|sports|snacks",
        c="shopping",
        d="~c",
    ),
    tale(
        "k:2-6 b:2-40 a=k*b > t=a/k s=a+t",
        """{A} <has/had> {a#n}. {B} <has/had> {k/} as many {n} as {A}. How many {n} <do/did> they have
        [together|altogether|in total]?

        {A} {verb.ed} {a#n} [on {day}|in {month}|last week] and {k/} as many [on {day2}|in {month2}|this
        week]. How many {n} did {A~} {verb} [altogether|in all|in total]?

        {A} <has/had> {a} {color} {n} and {k/} as many {color2} [ones|{n}]. How many {n} <does/did> {A~}
        have in total?

        {A} <spends/spent> {a} [minutes|hours] on homework and {k/} as long on [chores|practice|reading].
        How long <does/did> {A~} spend on both?

        {A} <has/had> {a#n}, which <is/was> {k*} as many as {B} <has/had>. How many {n} <do/did> they have
        together?""",
        n="things|sports|snacks",
        verb=("sell", "collect", "buy", "make", "pick", "find", "use", "see", "count", "receive"),
        about="they",
        weight=1.8,
    ),
    tale(
        "k:2,2,3,4,5 a:3-40 c:2-20 > t=k*a s=t+c",
        """{B} <has/had> {a#n}. {A} <has/had> {c} more than {k*} as many {n} as {B}. How many {n} <does/did>
        {A} have?

        {A} <has/had> {c} more than {k*} the number of {n} that {B} <has/had>. If {B} <has/had> {a}, how
        many {n} <does/did> {A} have?

        {B} <has/had> {a#n} and {A} <has/had> {k*} as many. Then {A} <gets/got> {c} more. How many {n}
        <does/did> {A} have [now|]?

        {A} is {c} years older than {k*} the age of {B}. If {B} is {a} years old, how old is {A}?""",
        n="things|sports|snacks",
        weight=1.2,
    ),
    tale(
        "k:2,2,3,4,5 a:3-40 c:2-20 > t=k*a s=t-c",
        """{B} <has/had> {a#n}. {A} <has/had> {c} [fewer|less] than {k*} as many {n} as {B}. How many {n}
        <does/did> {A} have?

        {B} <has/had> {a#n} and {A} <has/had> {k*} as many. {A} <gives/gave> {c} [of them|] away. How many
        {n} <does/did> {A} have left?

        {A} is {c} years younger than {k*} the age of {B}. {B} is {a}. How old is {A}?""",
        n="things|sports|snacks",
        weight=1.2,
    ),
    tale(
        "k:2,2,3,4 a:2-30 j:2,2,3,4 > t=k*a s=j*t",
        """{C} <has/had> {a#n}. {B} <has/had> {k*} as many as {C}, and {A} <has/had> {j*} as many as {B}. How
        many {n} <does/did> {A} have?

        {A} <has/had> {j*} as many {n} as {B}, and {B} <has/had> {k*} as many {n} as {C}. If {C} <has/had>
        {a#n}, how many {n} <does/did> {A} have?""",
        n="things|sports|snacks",
    ),
    tale(
        "k:2,2,3,4 a:2-30 j:2,2,3,4 > t=k*a s=j*t u=a+t v=u+s",
        """{C} <has/had> {a#n}. {B} <has/had> {k*} as many as {C}, and {A} <has/had> {j*} as many as {B}. How
        many {n} <do/did> they have [altogether|in all|in total]?

        {A} {verb.ed} {a#n} on {day}. On {day2} {A.he} {verb.ed} {k*} as many as on {day}, and on {day3}
        {A.he} {verb.ed} {j*} as many as on {day2}. How many {n} did {A~} {verb} [altogether|in total|in
        all]?""",
        n="things|sports|snacks",
        verb=("sell", "collect", "buy", "make", "pick", "find", "use", "see", "count"),
        about="they",
        weight=1.2,
    ),
    tale(
        "k:2,2,3,4 a:2-30 c:2-20 > t=k*a s=t+c u=a+t v=u+s",
        """{C} <has/had> {a#n}. {B} <has/had> {k*} as many as {C}, and {A} <has/had> {c} more than {B}. How
        many {n} <do/did> the three of them have [altogether|in all|in total]?""",
        n="things|sports|snacks",
        about="they",
        weight=0.8,
    ),
    tale(
        "k:2,2,3,4,5 a:2-30 c:2-20 > t=a+c s=k*t",
        """{C} <has/had> {a#n}. {B} <has/had> {c} more {n} than {C}. {A} <has/had> {k*} as many as {B}. How
        many {n} <does/did> {A} have?

        {A} <has/had> {k*} as many {n} as {B}. {B} <has/had> {c} more than {C}. If {C} <has/had> {a}, how
        many {n} <does/did> {A} have?

        {A} {verb.ed} {a} [small|red|big] {n} and {c} [large|blue|old] {n}. {B} {verb.ed} {k*} as many as
        {A} in all. How many {n} did {B} {verb}?""",
        n="things|sports|snacks",
        verb=("sell", "collect", "buy", "make", "pick", "find", "see", "count"),
        weight=1.2,
    ),
    tale(
        "k:2,2,3,4,5 a:2-30 c:2-20 c<a > t=a-c s=k*t",
        """{C} <has/had> {a#n}. {B} <has/had> {c} fewer {n} than {C}. {A} <has/had> {k*} as many as {B}. How
        many {n} <does/did> {A} have?

        {B} <has/had> {a#n} but <loses/lost> {c} of them. Now {A} <has/had> {k*} as many {n} as {B}. How
        many {n} <does/did> {A} have?""",
        n="things|sports|snacks",
    ),
    tale(
        "k:2,2,3,4,5 b:2-30 a=k*b c:2-20 > t=a/k s=t+c",
        """{C} <has/had> {a#n}. {B} <has/had> {k/} as many as {C}. {A} <has/had> {c} more {n} than {B}. How
        many {n} <does/did> {A} have?

        {A} <has/had> {c} more than {k/} as many {n} as {B}. If {B} <has/had> {a#n}, how many {n}
        <does/did> {A} have?""",
        n="things|sports|snacks",
    ),
    tale(
        "k:2,3,4,5,9 a:2-30 m=k+1 t=m*a > s=k+1 u=t/s",
        """{A} and {B} <have/had> {t#n} [together|altogether|in total]. {A} <has/had> {k*} as many {n} as {B}.
        How many {n} <does/did> {B} have?

        There are {t} [children|students|people|animals] [in all|altogether|] and there are {k*} as many
        {kind}. How many {kind2} are there?""",
        n="things|sports|snacks",
        kind=("girls as boys",),
        kind2=("boys",),
        about="B",
        weight=0.8,
    ),
)

COMPARING += tuple(
    tale(
        f"a:2-60 > {plan}",
        f"""{{B}} <has/had> {{a#n}}. {text}""",
        n="things|sports|snacks",
        about="A",
        weight=0.25,
    )
    for word, factor in (("double", 2), ("triple", 3))
    for plan, text in (
        (
            f"t={factor}*a",
            f"{{A}} <has/had> {word} that [number|amount]. How many {{n}} <does/did> {{A}} have?",
        ),
        (
            f"t={factor}*a",
            f"{{A}} <has/had> {word} the number of {{n}} that {{B}} <has/had>. How many is that?",
        ),
        (
            f"t={factor}*a s=a+t",
            f"{{A}} <has/had> {word} that [number|amount]. How many {{n}} <do/did> they have in all?",
        ),
        (
            f"t={factor}*a s=t-a",
            f"{{A}} <has/had> {word} that [number|amount]. How many more <does/did> {{A}} have?",
        ),
    )
)

FRACTIONS = (
    tale(
        "k:2-10 b:2-30 a=k*b > t=a/k",
        """{A} <has/had> {a#n}. {k/} of them <are/were> {color}. How many {color} {n} <does/did> {A~} have?

        There <are/were> {a#n} [in the {box}|on the table|]. {k/} of the {n} <are/were>
        [{color}|broken|new|gone]. How many is that?

        What is {k/} of {a#n}?

        {A} <gives/gave> {k/} of {A.his} {a#n} to {B}. How many {n} <does/did> {B} get?

        {A} <has/had> {a#n} and <uses/used> {k/} of them [for the {event}|]. How many {n} <does/did> {A~}
        use?

        There <are/were> {a} students in the class. {k/} of the students [<are/were> girls|<are/were>
        boys|<wear/wore> glasses|<play/played> {sport}|<walk/walked> to school|<are/were> absent]. How
        many students is that?""",
        n="things|snacks|school",
        box=("box", "bag", "basket", "drawer", "jar"),
        weight=1.5,
    ),
    tale(
        "k:2,3,4,5,6,8,10 b:2-20 a=k*b > t=a/k s=a-t",
        """{A} <has/had> {a#n}. {A.he} [<gives/gave>|<sells/sold>] {k/} of them to [{A.his} {relative}|{B}|a
        friend]. How many {n} <does/did> {A~} have [left|now]?

        {k/} of the {a#n} <are/were> {color}. The [rest|others|remaining ones] <are/were> {color2}. How
        many {n} <are/were> {color2}?

        {A} <has/had> {a#n}. {k/} of them <are/were> {color} and the rest <are/were> {color2}. How many
        {color2} {n} <does/did> {A~} have?

        There <are/were> {a#n} at the {place}. {k/} of them <are/were> [sold|taken away|lost|stolen|used].
        How many {n} <are/were> left?

        {A} <loses/lost> {k/} of {A.his} {a#n}. How many {n} <are/were> left?

        There <are/were> {a} students in a class. {k/} of them [<are/were> girls. How many <are/were>
        boys|<are/were> boys. How many <are/were> girls|<go/went> home early. How many
        <stay/stayed>|<like/liked> {sport}. How many <do/did> not like {sport}]?

        A {thing} normally costs {a$}. {A} buys it at a sale for {k/} off. How much does {A~} pay?

        {A} <has/had> {a$}. {A.he} <spends/spent> {k/} of [it|the money|{A.his} money] on [a
        {thing}|{meal}]. How much money <does/did> {A~} have left?

        A {thing2} is {a} [miles|kilometers|feet] long. {A} has walked {k/} of it. How far does {A~} still
        have to walk?""",
        n="things|snacks|school",
        thing2=("trail", "road", "path", "street", "bridge"),
        weight=2.5,
    ),
    tale(
        "k:3,4,4,5,5,6,8,10 j:2-7 j<k b:2-15 a=k*b > t=a/k s=t*j",
        """{A} <has/had> {a#n}. {j//k} of them <are/were> {color}. How many {color} {n} <does/did> {A~} have?

        There <are/were> {a} students [in the class|in the school|on the bus|in the choir]. {j//k} of
        [them|the students] [<are/were> girls|<are/were> boys|<ride/rode> the bus|<play/played>
        {sport}|<have/had> brown hair]. How many students is that?

        {A} <uses/used> {j//k} of {A.his} {a#n}. How many {n} <does/did> {A~} use?

        What is {j//k} of {a#n}?""",
        n="things|snacks|school",
        weight=1.0,
    ),
    tale(
        "k:3,4,4,5,5,6,8,10 j:2-7 j<k b:2-12 a=k*b > t=a/k s=t*j u=a-s",
        """{A} <has/had> {a#n}. {A.he} <gives/gave> {j//k} of them [to {B}|away|to {A.his} {relative}]. How
        many {n} <does/did> {A~} have left?

        {j//k} of the {a#n} <are/were> {color} and the rest <are/were> {color2}. How many {n} <are/were>
        {color2}?

        There <are/were> {a} people at the {event}. {j//k} of them <are/were> adults. How many children
        <are/were> there?

        {A} <has/had> {a$} and <spends/spent> {j//k} of it on a {thing}. How much [money|] <is/was> left?""",
        n="things|snacks|school",
        weight=1.0,
    ),
    tale(
        "k:2,3,4,5 j:2,3,4 b:1-12 m=k*j a=m*b > t=a/k s=t/j",
        """{A} <has/had> {a#n}. {k/} of them <are/were> {color}, and {j/} of the {color} ones <are/were>
        {size}. How many {color} {n} <are/were> {size}?

        There <are/were> {a} [students|children|people] at the {place}. {k/} of them <are/were> girls, and
        {j/} of the girls <wear/wore> glasses. How many girls <wear/wore> glasses?""",
        n="things|snacks|school",
        weight=0.8,
    ),
    tale(
        "k:2,2,3,4,5 b:2-20 a=k*b c:2-30 > t=a/k s=a-t u=s-c",
        """{A} <has/had> {a#n}. {A.he} <gives/gave> {k/} of them to {B} and <loses/lost> {c} [more|others].
        How many {n} <does/did> {A~} have left?

        {A} <has/had> {a$}. {A.he} <spends/spent> {k/} of it on a {thing} and {c$} on {meal}. How much
        <does/did> {A~} have left?

        {k/} of the {a#n} <are/were> {color}, {c} <are/were> {color2} and the rest <are/were> {color3}.
        How many {n} <are/were> {color3}?""",
        n="things|snacks|school",
        weight=1.3,
    ),
    tale(
        "k:2,2,3,4,5 b:2-20 a=k*b c:2-30 > t=a/k u=t+c",
        """{A} <has/had> {a#n}. {B} <has/had> {c} more than {k/} of that. How many {n} <does/did> {B} have?

        {A} <gets/got> {k/} of the {a#n}. Then {B} <gives/gave> {A.him} {c} more. How many {n} <does/did>
        {A} have?""",
        n="things|snacks|school",
        about="B",
        weight=0.8,
    ),
    tale(
        "k:2,2,3,4,5 b:2-20 c:2-30 u=k*b a=u+c > t=a-c s=t/k",
        """{A} <has/had> {a#n}. {A.he} <uses/used> {c} of them and <gives/gave> {k/} of [the rest|what
        <is/was> left|the remaining {n}] to {B}. How many {n} <does/did> {B} get?

        There <are/were> {a} people at the {event}. {c} of them <are/were> adults. {k/} of the children
        <are/were> boys. How many boys <are/were> there?""",
        n="things|snacks|school",
        about="B",
        weight=1.2,
    ),
    tale(
        "k:2,2,3,4,5 b:2-20 c:2-30 u=k*b a=u+c > t=a-c s=t/k r=t-s",
        """{A} <has/had> {a#n}. {A.he} <uses/used> {c} of them and <gives/gave> {k/} of [the rest|what
        <is/was> left|the remaining {n}] to {B}. How many {n} <does/did> {A~} have left?

        There <are/were> {a} people at the {event}. First {c} of them <leave/left>, and then {k/} of the
        others <go/went> home. How many people <are/were> still there?""",
        n="things|snacks|school",
        weight=1.2,
    ),
    tale(
        "k:2,2,2,3,4 b:2-60 > a=b*k",
        """{A} gave {k/} of {A.his} {n} to {B}. If {B} got {b#n}, how many {n} did {A} have [at first|in the
        beginning|to start with]?

        {k/} of {A.s} {n} <are/were> {color}. {A} <has/had> {b} {color} {n}. How many {n} <does/did> {A~}
        have in all?

        {A} spent {k/} of {A.his} money on a {thing}. The {thing} cost {b$}. How much money did {A~} have
        [at first|before]?""",
        n="things|snacks|school",
    ),
    tale(
        "b:2-40 c:2-30 > a=b+c t=a*2",
        """{A} gave half of {A.his} {n} to {B}. Then {A.he} gave {c} [more|] to {A.his} {relative} and had {b}
        left. How many {n} did {A} have [at first|in the beginning|to start with|originally]?

        {A} spent half of {A.his} money on a {thing} and then {c$} on {meal}. Now {A.he} has {b$}. How
        much money did {A~} have [at first|in the beginning]?""",
        n="things|snacks|school",
        weight=0.8,
    ),
)

PERCENT = (
    *(
        tale(
            f"b:2-40 a={size}*b > t=a/{size}",
            f"""{{A}} <has/had> {{a#n}}. {pct} of them <are/were> {{color}}. How many {{color}} {{n}}
            <does/did> {{A~}} have?

            There are {{a}} [students|people|workers] in the [school|office|club|company]. {pct} of them
            [play {{sport}}|walk to work|wear glasses|are women|are new]. How many is that?

            What is {pct} of {{a#n}}?

            A {{thing}} costs {{a$}}. {{A}} gets a {pct} discount. How much money does {{A~}} save?""",
            n="things|snacks",
            weight=0.25,
        )
        for size, share in ((2, 50), (4, 25), (10, 10), (5, 20))
        for pct in (f"{share}%", f"{share} percent")
    ),
    *(
        tale(
            f"b:2-30 a={size}*b > t=a/{size} s=a-t",
            f"""{{A}} <has/had> {{a#n}}. {pct} of them <are/were> {{color}} and the rest <are/were>
            {{color2}}. How many {{color2}} {{n}} <does/did> {{A~}} have?

            A {{thing}} costs {{a$}}. {{A}} gets [a {pct} discount|{pct} off]. How much does {{A~}}
            [pay|have to pay]?

            There are {{a}} [students|people|children|guests] at the [school|party|camp|{{event}}]. {pct}
            of them are [boys|girls|late|sick| new|wearing hats]. How many are not?

            {{A}} <has/had> {{a$}} and <spends/spent> {pct} of it. How much [money|] <does/did> {{A~}}
            have left?""",
            n="things|snacks",
            weight=0.25,
        )
        for size, share in ((2, 50), (4, 25), (10, 10), (5, 20))
        for pct in (f"{share}%", f"{share} percent")
    ),
    *(
        tale(
            f"b:2-30 a={size}*b > t=a/{size} s=a+t",
            f"""{{A}} <earns/earned> {{a$}} [a week|a month|a day]. {{A.he}} <gets/got> a {pct} raise. How
            much <does/did> {{A~}} earn now?

            A {{thing}} cost {{a$}} last year. This year the price is {pct} higher. What is the price now?

            The bill at the restaurant <is/was> {{a$}}. {{A}} <leaves/left> a {pct} tip. How much
            <does/did> {{A~}} pay in all?

            {{A}} had {{a#n}} last month. This month {{A.he}} has {pct} more. How many {{n}} does {{A~}}
            have now?""",
            n="things|snacks",
            weight=0.15,
        )
        for size, share in ((2, 50), (4, 25), (10, 10), (5, 20))
        for pct in (f"{share}%", f"{share} percent")
    ),
    tale(
        "p:5,15,30,35,40,45,60,65,70,75,80,85,90 a:20-400/20 > t=p*a s=t/100",
        """{A} <has/had> {a#n}. {p!}[%| percent] of them <are/were> {color}. How many {color} {n} <does/did>
        {A~} have?

        {p!}[%| percent] of the {a} [students|people|workers|members|guests] [play {sport}|like
        {sport}|are women|come by bus]. How many is that?

        [What|How much] is {p!}[%| percent] of {a}?

        A test has {a} questions. {A} answers {p!}[%| percent] of them correctly. How many [questions|]
        does {A~} get right?""",
        n="things|snacks",
        weight=1.2,
    ),
    tale(
        "p:5,15,30,35,40,45,60,65,70,75,80,85,90 a:20-400/20 > t=p*a s=t/100 u=a-s",
        """{A} <has/had> {a#n}. {p!}[%| percent] of them <are/were> {color}, and the others <are/were>
        {color2}. How many {color2} {n} <does/did> {A~} have?

        A {thing} costs {a$}. It is on sale for {p!}[%| percent] off. [How much does it cost now?|What is
        the sale price?]

        There are {a} {member}. {p!}[%| percent] of them [stay home|are away|are on vacation]. How many
        {member} are left?""",
        member=("students", "members", "workers", "campers"),
        n="things|snacks",
        weight=1.0,
    ),
    tale(
        "p:10-90/5 a:20-300/20 > q=100-p t=q*a s=t/100",
        """{p!}[%| percent] of the {a#n} <are/were> {color}. How many {n} <are/were> not {color}?

        {A} <answers/answered> {a} questions and <gets/got> {p!}[%| percent] of them wrong. How many
        [answers|questions] <are/were> right?""",
        n="things|snacks",
        weight=0.6,
    ),
)

RATIOS: tuple[Scenario, ...] = COMPARING + FRACTIONS + PERCENT

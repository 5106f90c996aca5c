"""Word problems about time and ages: travel, speed, hours and minutes, weeks, dozens and pairs, how old."""

from replication.testbed.story_frames import tale
from replication.testbed.story_parts import Scenario

TRAVEL = (
    tale(
        "v:5-70/5 h:2-9 > d=v*h",
        """{A} <drives/drove> [at|] {v} {mile} [per|an] hour for {h} hours. How [far|many {mile}] <does/did>
        {A~} [drive|go|travel]?

        A [car|train|bus|plane|truck] [travels|goes|moves] {v} {mile} per hour. How far [does it go|will
        it travel] in {h} hours?

        {A} <rides/rode> {A.his} bike at a speed of {v} {mile} per hour for {h} hours. What distance
        <does/did> {A~} cover [, in {mile}|]?

        {A.s} car [gets|goes|can go] {v} miles [on one|per|on each] gallon of gas. How [far|many miles]
        can {A~} drive on {h} gallons?

        {A} <walks/walked> {v} blocks [every|each|a] day. How many blocks <does/did> {A~} walk in {h}
        days?""",
        mile=("miles", "miles", "kilometers"),
        counts="miles",
        weight=1.5,
    ),
    tale(
        "v:2-60 h:2-9 d=v*h > r=d/h",
        """{A} <drives/drove> {d} {mile} in {h} hours. [What <is/was> {A.his} [average|] speed|How fast
        <does/did> {A~} go|How many {mile} per hour <is/was> that]?

        It takes a [train|bus|plane|ship|boat] {h} hours to [go|travel] {d} {mile}. [How many {mile} does
        it travel per hour?|What is its speed in {mile} per hour?]

        {A} used {h} gallons of gas to drive {d} {mile}. How many {mile} did {A~} get per gallon?

        {A} <runs/ran> {d} {mile} in {h} days, the same distance each day. How many {mile} <does/did> {A~}
        run [per|a|each] day?""",
        mile=("miles", "miles", "kilometers"),
        counts="miles",
        weight=1.2,
    ),
    tale(
        "v:2-60 h:2-9 d=v*h > r=d/v",
        """{A} <drives/drove> {d} {mile} at {v} {mile} per hour. How [long|many hours] <does/did> [it take|the
        trip take]?

        {A} [lives {d} {mile} from|has to go {d} {mile} to] {town}. If {A.he} drives {v} {mile} [an|per]
        hour, how many hours will it take [to get there|]?

        A [train|bus|car|ship] travels at {v} {mile} per hour. How many hours does it need [for|to go] {d}
        {mile}?

        {A.s} car uses one gallon of gas for every {v} {mile}. How many gallons does {A~} need to drive
        {d} {mile}?

        {A} [wants|needs] to [run|walk|bike] {d} {mile}. If {A.he} does {v} {mile} [a|each|every|per] day,
        how many days will it take?""",
        mile=("miles", "miles", "kilometers"),
        counts="hours",
        weight=1.2,
    ),
    tale(
        "v:3-60 h:2-6 w:3-60 g:2-6 > a=v*h b=w*g c=a+b",
        """{A} <drives/drove> {h} hours at {v} {mile} per hour and then {g} hours at {w} {mile} per hour. How
        far <does/did> {A~} drive [in all|altogether|]?

        {A} <bikes/biked> {v} {mile} [an|per] hour for {h} hours. Then {A.he} <rides/rode> a [bus|train]
        at {w} {mile} per hour for {g} hours. How many {mile} <does/did> {A~} travel in total?

        {A} <runs/ran> {v} {mile} a day for {h} days and {w} {mile} a day for {g} days. How many {mile}
        <is/was> that in all?""",
        mile=("miles", "miles", "kilometers"),
        counts="miles",
        weight=1.0,
    ),
    tale(
        "v:3-60 h:2-9 w:2-60 w<v > a=v-w b=a*h",
        """{A} <drives/drove> {v} {mile} per hour and {B} <drives/drove> {w} {mile} per hour. How much farther
        <does/did> {A} go than {B} in {h} hours?

        {A} can {verb} {v#n} an hour and {B} can {verb} {w#n} an hour. How many more {n} than {B} will {A}
        {verb} in {h} hours?

        {A} <is/was> climbing a hill. {A.he} <goes/went> up {v} feet every hour but <slides/slid> back {w}
        feet. How many feet up <is/was> {A~} after {h} hours?""",
        table="made",
        mile=("miles", "miles", "kilometers"),
    ),
    tale(
        "v:3-40 h:2-9 w:3-40 > a=v+w b=a*h",
        """{A} can {verb} {v#n} per hour and {B} can {verb} {w#n} per hour. How many {n} can they {verb}
        together in {h} hours?

        {A} {verb.s} {v#n} and {B} {verb.s} {w#n} every day. How many {n} do they {verb} in {h} days?

        Every day {A} {verb.s} {v#n} in the morning and {w} in the [afternoon|evening]. How many {n} does
        {A} {verb} in {h} days?

        {A} drives {v} miles to work and {w} miles to the gym every day. How many miles does {A~} drive in
        {h} days?""",
        table="made",
        about="they",
        weight=1.5,
    ),
    tale(
        "v:2-20 h:2-9 w:2-20 x=v+w d=x*h > a=v+w b=d/a",
        """{A} can {verb} {v#n} [an|per] hour and {B} can {verb} {w#n} [an|per] hour. How many hours will it
        take them to {verb} {d#n} together?

        {A} {verb.s} {v#n} each day and {B} {verb.s} {w} each day. In how many days will they {verb}
        {d#n}?

        {A} uses {v#item} in the morning and {w} in the evening. How many days will {d#item} last?""",
        table="made",
        item=("candles", "bottles", "eggs", "tea bags", "batteries"),
        counts="days",
        weight=1.2,
    ),
    tale(
        "d:2-40 k:2-9 > a=d*2 b=a*k",
        """{A} [lives {d} miles from|drives {d} miles to] [work|school]. How many miles does {A~} travel to
        [work|school] and back in {k} days?

        The [school|store|office|park] is {d} blocks from {A.s} house. {A} walks there and back {k} times
        [a|every|each] week. How many blocks does {A~} walk [each|per] week?

        It is {d} miles to {town}. {A} [goes|makes the trip] there and back {k} times. How many miles is
        that?""",
        counts="miles",
        weight=0.8,
    ),
)

TIME_UNITS = (
    *(
        tale(
            f"e:2-25 > t=e*{size}",
            f"""{{A}} {{verb.s}} {{e#n}} [every|each|a] {part}. How many {{n}} does {{A~}} {{verb}} in [a|one]
            {unit}?

            {{A}} {{verb.ed}} {{e#n}} [every|each|a] {part} for a {unit}. How many {{n}} did {{A~}}
            {{verb}} [in all|altogether|]?""",
            table="made",
            weight=0.4,
        )
        for unit, part, size in (("week", "day", 7), ("year", "month", 12))
    ),
    *(
        tale(
            f"e:2-9 h:2-12 > t=e*{size} s=t*h",
            f"""{{A}} {{verb.s}} {{h#n}} [every|each|a] {part}. How many {{n}} does {{A~}} {{verb}} in {{e}}
            {unit}s?

            {{A}} [{{verb.ed}} {{h#n}} a {part} for {{e}} {unit}s]. How many {{n}} is that [in
            all|altogether|]?""",
            table="made",
            weight=0.5,
        )
        for unit, part, size in (("week", "day", 7), ("year", "month", 12))
    ),
    tale(
        "e:2-20 > t=e*7",
        """{A} [goes|is going] on vacation for {e} weeks. How many days is that?

        How many days are there in {e} weeks?

        The [school play|holiday|camp|fair|concert] is in {e} weeks. How many days [is that|does {A} have
        to wait]?""",
        counts="days",
        weight=0.3,
    ),
    tale(
        "e:2-12 t=e*7 > r=t/7",
        """{A} was away for {t} days. How many weeks is that?

        How many weeks are {t} days?

        It is {t} days until [{A.s} birthday|the {event}]. How many weeks is that?""",
        counts="weeks",
        weight=0.3,
    ),
    tale(
        "e:2-12 > t=e*60",
        """{A} {did} for {e} hours. How many minutes is that?

        How many minutes are there in {e} hours?

        A movie is {e} hours long. How many minutes [is that|does it last]?""",
        did=(
            "read",
            "slept",
            "practiced the piano",
            "studied",
            "worked",
            "danced",
            "played chess",
            "watched TV",
            "cooked",
        ),
        counts="minutes",
        weight=0.3,
    ),
    tale(
        "e:2-9 c:5-55/5 > t=e*60 s=t+c",
        """A [movie|flight|trip|game|concert] lasts {e} hours and {c} minutes. How many minutes is that [in
        all|]?

        {A} {did} for {e} hours and {c} minutes. How many minutes did {A~} spend [on it|in all]?""",
        did=(
            "read",
            "slept",
            "practiced the piano",
            "studied",
            "worked",
            "danced",
            "hiked",
            "watched videos",
            "cooked",
        ),
        counts="minutes",
        weight=0.4,
    ),
    tale(
        "k:2-12 e:5-45/5 c:5-60/5 > t=k*e s=t+c",
        """It takes {A} {e} minutes to {task} one {thing2} and {c} minutes to clean up. How many minutes does
        {A~} need for {k} of them?

        {A} {task}s {k} {thing2}s. Each one takes {e} minutes. Then {A.he} rests for {c} minutes. How long
        does it take in all, in minutes?""",
        task=("paint", "repair", "clean", "test", "clear", "load", "collect"),
        thing2=("chair", "bike", "window", "lamp", "car", "desk", "boat", "cage", "table"),
        counts="minutes",
        weight=0.7,
    ),
    tale(
        "k:2-12 e:5-45/5 > t=k*e",
        """It takes {A} {e} minutes to {verb} [one|a] {n.one}. How many minutes does it take to {verb} {k#n}?

        {A} <needs/needed> {e} minutes for each {n.one}. How long <does/did> it take {A.him} to {verb}
        {k#n}?

        If each {n.one} takes {e} minutes, how many minutes will {A} need to {verb} {k#n}?

        A [class|song|show|meeting|lesson|bus ride|game] is {e} minutes long. How many minutes are {k} of
        them?""",
        table="made",
        counts="minutes",
        weight=1.0,
    ),
    tale(
        "k:2-12 e:5-45/5 t=k*e > r=t/e",
        """{A} has {t} minutes. It takes {A.him} {e} minutes to {verb} [one|a] {n.one}. How many {n} can {A~}
        {verb}?

        It takes {e} minutes to {verb} one {n.one}. How many {n} can {A} {verb} in {t} minutes?""",
        table="made",
        weight=0.7,
    ),
    tale(
        "h:2-8 e:5,6,10,12,15,20,30 > t=h*60 r=t/e",
        """It takes {A} {e} minutes to {verb} [one|a] {n.one}. How many {n} can {A~} {verb} in {h} hours?

        {A} {verb.s} [one|a] {n.one} every {e} minutes. How many {n} does {A~} {verb} in {h} hours?

        Every {e} minutes, a [bus|train|car|boat] [passes by|leaves|stops]. How many is that in {h} hours?""",
        table="made",
        weight=0.8,
    ),
    tale(
        "e:5,10,15,20,30,40,45 k:2-12 h:1-9 u=h*60 u=e*k > t=e*k r=t/60",
        """{A} {did} {e} minutes [a|each|every] day. How many hours is that in {k} days?

        Each [show|lesson|episode|meeting|class] is {e} minutes long. How many hours will {A} need for {k}
        of them?""",
        did=("reads", "runs", "practices the violin", "walks the dog", "studies", "exercises", "dances"),
        counts="hours",
        weight=0.7,
    ),
    tale(
        "a:2-12 > t=a*12",
        """{A} <buys/bought> {a} dozen {n}. How many {n} is that?

        {A} <picks/picked> {a} dozen {n} [at the {place}|]. How many {n} <does/did> {A~} have?

        A [rope|board|snake|table|fence|ladder] is {a} feet long. How many inches is that?

        How many months are there in {a} years?

        How many {n} are in {a} dozen?""",
        n="snacks|flowers|sweets",
        weight=0.6,
    ),
    tale(
        "a:2-8 c:2-50 > t=a*12 r=t-c",
        """{A} <buys/bought> {a} dozen {n}. {A.he} <eats/ate> {c} of them. How many {n} <are/were> left?

        {A} <makes/made> {a} dozen {n} [for the {event}|] and <gives/gave> {c} of them to {B}. How many
        {n} <does/did> {A~} have left?

        There <are/were> {a} dozen {n}. After {A} <takes/took> {c}, how many <are/were> left?""",
        n="snacks|sweets",
        weight=0.9,
    ),
    tale(
        "a:2-8 c:2-50 > t=a*12 r=t+c",
        """{A} <buys/bought> {a} dozen {n} and {B} <buys/bought> {c}. How many {n} <do/did> they have
        [altogether|together|in all]?

        {A} <has/had> {c#n} and <makes/made> {a} dozen more. How many {n} <does/did> {A~} have now?""",
        n="snacks|sweets",
        about="they",
        weight=0.7,
    ),
    tale(
        "a:2-9 p:2-12 > t=a*12 r=t*p",
        """{A} <buys/bought> {a} dozen {n} for {p$} each. How much <does/did> {A~} pay?

        A {n.one} costs {p$}. How much do {a} dozen {n} cost?

        {A} pays {p$} a month for {a} years. How much is that in all?""",
        n="snacks|sweets",
        counts="dollars",
        weight=0.6,
    ),
    tale(
        "a:2-9 p:2-20 > t=a*p",
        """One dozen {n} costs {p$}. How much do {a} dozen {n} cost?

        {A} <sells/sold> {a} dozen {n} at {p$} [per|a] dozen. How much [money|] <does/did> {A~} make?""",
        n="snacks|sweets",
        counts="dollars",
        weight=0.5,
    ),
    tale(
        "a:2-40 > t=a*2",
        """{A} <has/had> {a} pairs of {sock}. How many {sock} is that?

        There are {a} couples at the dance. How many people are there?

        {A} {verb.s} {a#n} in the morning and [the same number|just as many] in the evening. How many {n}
        does {A~} {verb} [each|every|a] day?

        {A} and {B} each <have/had> {a#n}. How many {n} <do/did> they have together?

        {A} doubled {A.his} {a#n}. How many {n} does {A~} have now?""",
        table="made",
        sock=("socks", "shoes", "gloves", "mittens", "boots", "earrings", "skates", "sandals"),
        weight=0.7,
    ),
    tale(
        "a:2-9 c:3-14 > t=c*2 r=a*t",
        """{A} <buys/bought> {c} pairs of {sock} for each of {A.his} {a} {kid}. How many {sock} <is/was> that
        [in all|]?

        Each of the {a} {kid} {verb.s} {c#n} twice a day. How many {n} is that [a|each|per] day?""",
        table="made",
        sock=("socks", "shoes", "gloves", "mittens", "boots"),
        kid=("children", "sisters", "brothers", "cousins", "friends"),
        weight=0.4,
    ),
)

AGES = (
    tale(
        "a:3-40 k:2-5 > t=a*k",
        """{B} is {a} years old. {A} is {k*} as old [as {B}|]. How old is {A}?

        {A} is {k*} as old as {B}. If {B} is {a}, how old is {A}?""",
        counts="years",
        roles=False,
        weight=0.5,
    ),
    tale(
        "a:3-40 k:2-5 c:2-20 > t=a*k s=t+c",
        """{B} is {a} years old. {A} is {k*} as old as {B}. How old will {A} be in {c} years?

        {A} is {k*} as old as {B}, and {C} is {c} years older than {A}. If {B} is {a} years old, how old
        is {C}?

        {A.s} father is {c} years older than {k*} {A.s} age. {A} is {a} years old. How old is {A.his}
        father?""",
        counts="years",
        roles=False,
        weight=0.8,
    ),
    tale(
        "b:3-20 k:2-5 a=b*k c:2-20 > t=a/k s=t+c",
        """{B} is {a} years old. {A} is {k/} as old as {B}. How old will {A} be in {c} years?

        {B}, who is {a} years old, is {k*} as old as {A}. How old will {A} be in {c} years?

        {A} is {k/} the age of {B}, and {C} is {c} years older than {A}. If {B} is {a}, how old is {C}?""",
        counts="years",
        roles=False,
        weight=0.8,
    ),
    tale(
        "a:3-40 c:2-20 d:2-20 > t=a+c s=t+d",
        """{A} is {c} years older than {B}. {B} is {a} years old. How old will {A} be in {d} years?

        {B} is {a}. {A} is {c} years older than {B}, and {C} is {d} years older than {A}. How old is {C}?""",
        counts="years",
        roles=False,
        weight=0.6,
    ),
    tale(
        "a:10-60 c:2-20 d:2-20 c<a > t=a-c s=t+d",
        """{A} is {c} years younger than {B}. {B} is {a} years old. How old will {A} be in {d} years?

        {B} is {a} years old. {A} is {c} years younger, and {C} is {d} years older than {A}. How old is
        {C}?""",
        counts="years",
        roles=False,
        weight=0.6,
    ),
    tale(
        "a:3-40 c:2-20 > t=a+c s=a+t",
        """{A} is {a} years old. {A.his} {relative} is {c} years older. What is the sum of their ages?

        {B} is {a} and {A} is {c} years older than {B}. How old are they [together|combined]?""",
        counts="years",
        about="they",
        roles=False,
        weight=0.6,
    ),
)

TIME: tuple[Scenario, ...] = TRAVEL + TIME_UNITS + AGES

"""Word problems about shapes, measures, reading, averages, machines, growth, seats, unknown starts."""

from replication.testbed.story_chain import CHAINS
from replication.testbed.story_frames import tale
from replication.testbed.story_parts import Scenario
from replication.testbed.story_ratios import RATIOS
from replication.testbed.story_time import TIME

SHAPES = (
    tale(
        "a:2-40 b:2-30 b<a > t=a*b",
        """A [rectangle|rectangular field|garden|room|wall|floor|patio|park] is {a} {foot} long and {b} {foot}
        wide. What is its area [in square {foot}|]?

        {A} has a [garden|room|yard|farm|field] that is {a} {foot} by {b} {foot}. How many square {foot}
        is [it|that]?

        {A} wants to cover a floor that is {a} feet long and {b} feet wide. How many square feet of
        [carpet|tiles|wood] does {A~} need?""",
        foot=("feet", "feet", "meters", "yards", "m"),
        about="it",
        counts="square feet",
        weight=0.8,
    ),
    tale(
        "a:2-40 b:2-30 b<a > s=a+b t=s*2",
        """A [rectangle|garden|field|yard|pool] is {a} {foot} long and {b} {foot} wide. What is the perimeter?

        {A} wants to put a fence around a [garden|yard|field|pool] that is {a} {foot} long and {b} {foot}
        wide. How many {foot} of fence does {A~} need?

        {A} <walks/walked> once around a [park|field|block] that is {a} {foot} by {b} {foot}. How many
        {foot} <does/did> {A~} walk?""",
        foot=("feet", "feet", "meters", "yards", "m"),
        about="it",
        counts="feet",
        weight=0.8,
    ),
    tale(
        "a:2-60 > t=a*4",
        """[A square|A square garden|A square table|A square field] has sides of {a} {foot}. What is its
        perimeter?

        Each side of a square is {a} {foot} long. How long are all the sides together?""",
        foot=("feet", "meters", "inches", "centimeters"),
        about="it",
        counts="feet",
        weight=0.3,
    ),
    tale(
        "a:2-30 b:2-20 u=a*b > t=u/a",
        """The area of a [rectangle|garden|room|field] is {u} square {foot}. It is {a} {foot} long. How wide
        is it?

        A [rectangle|garden|wall] with an area of {u} square {foot} is {a} {foot} wide. What is its
        length?""",
        foot=("feet", "meters", "inches", "yards", "cm", "m"),
        about="it",
        counts="feet",
        weight=0.4,
    ),
    tale(
        "a:2-30 b:2-20 p:2-9 > t=a*b u=t*p",
        """A [floor|room|patio|kitchen] is {a} feet long and {b} feet wide. Carpet costs {p$} per square foot.
        How much does it cost to cover the floor?

        {A} paints a wall that is {a} feet by {b} feet. {A.he} charges {p$} per square foot. How much does
        {A~} earn?""",
        counts="dollars",
        weight=0.6,
    ),
    tale(
        "k:2-6 b:2-15 > a=k*b s=a*b",
        """A [rectangle|garden|field] is {b} {foot} wide and {k*} as long. What is its area?

        The width of a [rectangle|room|yard] is {b} {foot}. Its length is {k*} the width. What is the
        area?""",
        foot=("feet", "meters", "inches", "yards", "cm", "m"),
        about="it",
        counts="square feet",
        weight=0.4,
    ),
)

MEASURES = (
    tale(
        "k:2-12 e:2-40 t=k*e > r=t/e",
        """{A} <has/had> {t#n} of {stuff}. Each {use} <needs/needed> {e#n}. How many {use}s can {A~} make?

        {A} <uses/used> {e#n} of {stuff} [a|each|every] day. How many days will {t#n} last?

        A [big|full|large] container holds {t#n} of {stuff}. How many [small|] containers of {e#n} can be
        filled from it?

        {A} <cuts/cut> {t} feet of rope into pieces of {e} feet. How many pieces <does/did> {A~} get?""",
        table="measured",
        use=("order", "project", "batch of it", "bundle", "kit"),
        counts="pieces",
        weight=0.8,
    ),
    tale(
        "k:2-12 e:2-40 > t=k*e",
        """{A} <buys/bought> {k} [bags|packs|containers|packages] with {e#n} of {stuff} each. How many {n} of
        {stuff} <does/did> {A~} have?

        {A} <uses/used> {e#n} of {stuff} [a|each|every|per] [day for {k} days|week for {k} weeks]. How
        many {n} <does/did> {A~} use?

        Each project needs {e#n} of {stuff}. How many {n} of {stuff} are needed for {k} projects?""",
        table="measured",
        weight=0.8,
    ),
    tale(
        "k:2-9 e:2-20 c:2-60 > t=k*e r=t-c",
        """{A} <has/had> {k} [bags|packs|containers] with {e#n} of {stuff} each. {A.he} <uses/used> {c#n}. How
        many {n} <are/were> left?

        {A} <needs/needed> {e#n} of {stuff} for each of {k} projects. {A.he} already <has/had> {c#n}. How
        many more {n} <does/did> {A~} need?""",
        table="measured",
    ),
    tale(
        "k:2-9 e:2-15 u=k*e c:2-40 t=u+c > r=t-c s=r/e",
        """{A} <has/had> {t#n} of {stuff} and <gives/gave> {c#n} to {B}. {A.he} <uses/used> {e#n} of the rest
        [every|each|a] day. How many days <does/did> it last?

        There <are/were> {t#n} of {stuff}. {c#n} [get|are] lost. How many [bags|packages] of {e#n} can {A}
        fill with the rest?""",
        table="measured",
        counts="days",
        weight=0.8,
    ),
    tale(
        "a:2-30 g:2-9 d:2-12 > t=g*d s=a+t",
        """A {what} is {a} {n} [tall|high|long]. It grows {g} {n} [every|each|a|per] {week}. How
        [tall|long|high] will it be [after|in] {d} {week}s?

        A {what} had {a} {n} at first and gained {g} {n} every {week}. How many {n} did it have after {d}
        {week}s?""",
        what=(
            "tree",
            "plant",
            "sunflower",
            "vine",
            "bamboo",
            "snake",
            "hedge",
            "beanstalk",
            "tower",
            "ladder",
            "alligator",
            "weed",
        ),
        n=("inches", "feet", "centimeters"),
        week=("week", "month", "year", "day"),
        about="it",
        weight=0.8,
    ),
    tale(
        "a:2-30 g:2-9 d:2-12 t=g*d b=a+t > s=b-a r=s/g",
        """A {what} was {a} {n} [tall|long] and is now {b} {n}. It grows {g} {n} [a|each|every] {week}. How
        many {week}s did it grow?

        {A} <has/had> {a#item}. {A.he} <gets/got> {g} more every {week}. After how many {week}s <does/did>
        {A~} have {b#item}?""",
        what=("tree", "plant", "sunflower", "vine", "snake", "hedge", "beanstalk"),
        n=("inches", "feet", "centimeters"),
        item="collection",
        week=("week", "month", "year", "day"),
        counts="weeks",
        weight=0.8,
    ),
    tale(
        "a:20-100 g:2-9 d:2-9 > t=g*d s=a-t",
        """A candle is {a} centimeters tall. It burns down {g} centimeters [an|every|each] hour. How tall is
        it after {d} hours?

        The temperature was {a} degrees at noon. It fell {g} degrees every hour. What was the temperature
        {d} hours later?

        A tank has {a} gallons of water. It loses {g} gallons [a|each|every|per] [day. How many gallons
        are left after {d} days|hour. How many gallons are left after {d} hours]?

        {A} weighs {a} [pounds|kilograms]. {A.he} loses {g} [pounds|kilograms] a month. How much will {A~}
        weigh in {d} months?

        {A} <has/had> {a#n}. {A.he} <eats/ate> {g} [a|each|every] day. How many {n} <are/were> left after
        {d} days?

        {A} <has/had> {a$} and <spends/spent> {g$} [a|each|every] day for {d} days. How much <is/was>
        left?""",
        n="snacks",
        weight=1.2,
    ),
    tale(
        "a:2-30 > t=a*2 s=t*2",
        """There are {a#n} in {where}. The number doubles every {week}. How many {n} will there be after
        [2|two] {week}s?

        {A} <has/had> {a#n2}. [Each|Every] {week} the number <doubles/doubled>. How many <does/did> {A~}
        have after [2|two] {week}s?""",
        table="colony",
        n2="collection",
        week=("day", "week", "month", "hour", "year"),
        about="they",
        weight=0.6,
    ),
    tale(
        "a:2-30 > t=a*2 s=t*2 u=s*2",
        """There are {a#n} in {where}. The number doubles every {week}. How many {n} will there be after
        [3|three] {week}s?

        {A} <saves/saved> {a$} in the first {week}, and in each of the next [3|three] {week}s {A.he}
        <saves/saved> twice as much as in the one before. How much <does/did> {A~} save in the last
        {week}?""",
        table="colony",
        week=("day", "week", "month", "year"),
        about="they",
        weight=0.6,
    ),
    tale(
        "a:2-30 k:2,2,3 > t=a*k s=a+t",
        """There <are/were> {a#n} in {where} in {month}. By {month2} {k*} as many [came|were added]. How many
        {n} were there then in all?

        {A} <counts/counted> {a#n} in {where} and {k*} as many [behind the house|near the road|across the
        street]. How many {n} <does/did> {A~} count [altogether|in all|]?""",
        table="colony",
        weight=0.6,
    ),
)

READING = (
    tale(
        "p:5-40 d:2-14 t=p*d > r=t/d",
        """{A} <has/had> a book [of|with] {t} pages. {A.he} <wants/wanted> to finish it in {d} days. How many
        pages <does/did> {A~} have to read [each|every|per|a] day?

        {A} <reads/read> a {t}-page book in {d} [days. How many pages <does/did> {A~} read [each|per]
        day|hours. How many pages <does/did> {A~} read [an|per|each] hour]?""",
        counts="pages",
        weight=0.6,
    ),
    tale(
        "p:5-40 d:2-14 t=p*d > r=t/p",
        """A book has {t} pages. {A} reads {p} pages [a|each|every|per] [day. How many days|night. How many
        nights] will it take {A.him} to finish the book?

        How many days does {A} need for a {t!}-page book if {A.he} reads {p} pages a day?""",
        counts="days",
        weight=0.6,
    ),
    tale(
        "p:5-40 d:2-9 u=p*d c:5-90 t=u+c > r=t-c s=r/p",
        """A book has {t} pages. {A} has [already|] read {c} [of them|pages]. If {A.he} reads {p} pages
        [a|each|every] day [from now on|], how many days will it take to finish [the book|]?

        {A} <has/had> to [read|write|study] {t} pages. {A.he} <does/did> {c} on the weekend. At {p} pages
        a day, how many more days <does/did> {A~} need?

        {A} <has/had> {t#n}. {A.he} <finishes/finished> {c} at school. If {A.he} can do {p} [per|an|each]
        hour, how long will the rest take, in hours?""",
        n="tasks",
        counts="days",
        weight=1.2,
    ),
    tale(
        "p:5-40 d:2-9 u=p*d c:5-90 t=u+c > r=t-c s=r/d",
        """{A} <has/had> to read {t} pages. {A.he} <reads/read> {c} pages over the weekend and <has/had> {d}
        days [left|for the rest]. How many pages [must|should] {A~} read each day?

        A [magazine|report|novel|book] has {t} pages. {A} <finishes/finished> {c} of them on {day}. If
        {A.he} reads the rest in {d} days, how many pages is that [a|per|each] day?""",
        counts="pages",
        weight=0.8,
    ),
    tale(
        "p:5-30 d:2-9 c:5-30 > t=p*d s=t+c",
        """{A} <reads/read> {p} pages [a|each|every] day for {d} days and {c} pages on the last day. How many
        pages <does/did> {A~} read [in all| altogether|]?

        {A} <reads/read> {p} pages a night. After {d} nights, there <are/were> {c} pages left. How many
        pages <are/were> in the book?

        {A} <reads/read> {d} chapters with {p} pages each. {A.he} still <has/had> {c} pages to go. How
        long <is/was> the book, in pages?""",
        counts="pages",
        weight=0.8,
    ),
    tale(
        "t:50-300/10 p:5-20 d:2-9 > r=p*d s=t-r",
        """A book has {t} pages. {A} <reads/read> {p} pages [a|each|every] day for {d} days. How many pages
        <are/were> left [to read|]?

        {A} <needs/needed> to [solve|do] {t} problems. {A.he} <does/did> {p} a day for {d} days. How many
        <are/were> left?

        The goal of the {event} <is/was> to collect {t} cans. {p} students <bring/brought> {d} cans each.
        How many more cans <do/did> they need?""",
        counts="pages",
        weight=0.8,
    ),
)

AVERAGES = (
    tale(
        "b:2-60 a:2-60 s=a+b m=s/2 > t=a+b r=t/2",
        """{A} {verb.ed} {a#n} on {day} and {b} on {day2}. What is the average number of {n} [per|a] day?

        {A} scored {a} [points|] on the first [test|game|quiz] and {b} on the second. What is {A.his}
        average [score|]?

        Find the average of {a} and {b}. What is it?

        {A} has {a#n} and {B} has {b}. They want to have the same number, so they share them equally. How
        many {n} does each get?""",
        table="made",
        weight=0.7,
    ),
    tale(
        "a:2-60 b:2-60 c:2-60 s=a+b u=s+c m=u/3 > t=a+b r=t+c v=r/3",
        """{A} {verb.ed} {a#n} on {day}, {b} on {day2} and {c} on {day3}. What <is/was> the average number of
        {n} per day?

        {A} <gets/got> {a}, {b} and {c} points in three [games|tests|rounds]. What <is/was> {A.his}
        average [score|]?

        {A} has {a#n}, {B} has {b} and {C} has {c}. If they put them together and share them equally, how
        many {n} does each get?

        The [temperature was|temperatures were] {a} degrees on {day}, {b} degrees on {day2} and {c}
        degrees on {day3}. What was the average temperature?""",
        table="made",
        weight=1.2,
    ),
    tale(
        "a:2-60 b:2-60 c:2-60 d:2-60 s=a+b u=s+c w=u+d m=w/4 > t=a+b r=t+c v=r+d x=v/4",
        """{A} {verb.ed} {a}, {b}, {c} and {d} {n} in four days. What <is/was> the average per day?

        {A} <gets/got> {a}, {b}, {c} and {d} points in four [games|tests]. What <is/was> {A.his} average?""",
        table="made",
        weight=0.8,
    ),
    tale(
        "k:2-9 m:3-40 > t=k*m",
        """{A} {verb.ed} an average of {m#n} [a|per] day for {k} days. How many {n} did {A~} {verb} [in all|]?

        The average of {k} numbers is {m}. What is their sum?""",
        table="made",
        weight=0.5,
    ),
)

SEATS = (
    tale(
        "k:2-12 e:2-12 u=k*e c:2-30 c<u t=u-c 1<t > r=t+c s=r/e",
        """{t#n} and {c} [teachers|parents|adults|helpers] are going [on a trip|to the {place}|to the
        {event}]. Each {box.one} holds {e} people. How many {box} do they need?

        There are {t} boys and {c} girls [in the class|at the camp|on the trip]. {A} puts them in groups
        of {e}. How many groups are there?

        {t} boys and {c} girls want to play {sport}. If each team has {e} players, how many teams are
        there?""",
        table="seats",
        counts="box",
        weight=1.2,
    ),
    tale(
        "k:2-12 e:2-12 u=k*e c:2-30 t=u+c > r=t-c s=r/e",
        """There are {t#n} [on the list|at the school|]. {c} of them are [sick|absent|not coming]. If each
        {box.one} holds {e}, how many {box} are needed for the rest?

        {t} students wanted to play {sport}, but {c} of them were not picked. The rest were put into teams
        of {e}. How many teams were there?

        {A} had {t} invitations. {A.he} lost {c} and mailed the others in bundles of {e}. How many bundles
        were there?""",
        table="seats",
        counts="box",
        weight=1.2,
    ),
    tale(
        "k:2-12 e:2-40 c:2-60 > t=k*e r=t-c",
        """A [theater|bus|train|hall|plane|stadium] has {k} rows with {e} seats each. {c} seats are
        [taken|broken]. How many seats are left?""",
        counts="seats",
        weight=0.5,
    ),
    tale(
        "k:2-12 e:2-12 c:2-12 d:2-12 > t=k*e s=c*d u=t+s",
        """Tickets cost {e$} for adults and {d$} for children. How much do {k} adults and {c} children pay [in
        all|altogether|]?

        {k} adults and {c} children go to the {place}. An adult ticket costs {e$} and a child's ticket
        costs {d$}. What is the total cost?

        {A} won {k} games and earned {e} points in each. {B} won {c} games with {d} points each. How many
        points do they have together?

        A parking lot has {k} rows of {e} cars and {c} rows of {d} cars. How many cars are there [in
        all|]?

        On a farm there are {k} pens with {e#n} each and {c} pens with {d#n} each. How many {n} are there?""",
        n="farm",
        about="they",
        counts="",
        weight=1.2,
    ),
    tale(
        "k:2-30 c:2-30 > t=k*4 s=c*2 u=t+s",
        """There are {k} {cow} and {c} {hen} [on the farm|in the barn|at the zoo|in the yard]. How many legs
        do they have [altogether|in all|]?

        {A} saw {k} cars and {c} bikes [on the street|at the {place}]. How many wheels is that [in
        all|altogether|]?

        A farmer has {k} {cow} and {c} {hen}. What is the total number of legs?""",
        cow=("cows", "dogs", "goats", "horses", "sheep", "cats", "pigs", "rabbits"),
        hen=("chickens", "ducks", "birds", "geese", "hens", "ostriches"),
        about="they",
        counts="legs",
        weight=0.6,
    ),
    tale(
        "m:2-6 e:5-60 h:2-8 > t=m*e s=t*h",
        """A {machine} [makes|produces] {e#n} [an|per|every] hour. How many {n} do {m} such {machine}s
        [make|produce] in {h} hours?

        {m} {machine}s [make|produce] {e#n} each per [hour. How many {n} is that in {h} hours|day. How
        many {n} is that in {h} days]?""",
        table="machine",
        weight=1.0,
    ),
    tale(
        "e:5-60 h:2-12 > t=e*h",
        """A {machine} [makes|produces] {e#n} [an|per|every|each] hour. How many {n} does it [make|produce] in
        {h} hours?

        How many {n} does a {machine} make in {h} days if it makes {e#n} a day?""",
        table="machine",
        about="it",
        weight=0.8,
    ),
    tale(
        "e:5-60 h:2-9 t=e*h k:3-14 h<k > r=t/h s=r*k",
        """A {machine} makes {t#n} in {h} hours. How many {n} does it make in {k} hours?

        {h} {machine}s make {t#n} a day. How many {n} do {k} {machine}s make a day?

        {A} <can/could> {do} {t} {thing2} in {h} minutes. At this rate, how many can {A~} {do} in {k} minutes?

        {h} tickets cost {t$}. How much do {k} tickets cost?""",
        table="machine",
        do=("type", "read", "write", "count", "sort"),
        thing2=("words", "lines", "names", "cards", "letters"),
        about="it",
        weight=1.2,
    ),
    tale(
        "e:5-60 h:2-12 c:2-60 > t=e*h s=t-c",
        """A {machine} makes {e#n} [an|per|every] hour. After {h} hours, {c} of the {n} are broken. How many
        good {n} are there?

        A {machine} made {e#n} a day for {h} days and sold {c} of them. How many {n} were left?""",
        table="machine",
        about="it",
        weight=0.8,
    ),
)

STARTS_UNKNOWN = (
    tale(
        "k:2-12 e:2-12 c:2-40 > t=k*e s=t+c",
        """{A} gave {e#n} to each of {A.his} {k} {kin} and had {c} left. How many {n} did {A} have [at
        first|before|in the beginning|to start with]?

        After {A} put {e#n} in each of {k} [boxes|bags|jars], {c} were left over. How many {n} were there
        [at first|in all]?

        {A} <shares/shared> some {n} equally among {k} {kin}. Each <gets/got> {e} and {c} <are/were> left.
        How many {n} <are/were> there in all?""",
        n="things|snacks|school",
        kin=("friends", "cousins", "sisters", "brothers", "students", "neighbors"),
        weight=1.2,
    ),
    tale(
        "k:2-12 e:2-15 c:2-40 s=k*e c<s > t=k*e r=t-c",
        """{A} had some {n}. {A.his} {relative} gave {A.him} {c} more. Now {A.he} can fill {k}
        [boxes|bags|jars] with {e#n} each. How many {n} did {A} have [at first|before]?

        {A} <wants/wanted> to give {e#n} to each of {A.his} {k} {kin}. {A.he} <has/had> only {c#n}. How
        many more {n} <does/did> {A~} need?

        {A} <makes/made> enough {n} for {k} people to have {e} each, but {c} <are/were> [eaten|lost|taken]
        before. How many <are/were> left?""",
        n="things|snacks|school",
        kin=("friends", "cousins", "sisters", "brothers", "students", "neighbors"),
        weight=1.2,
    ),
    tale(
        "k:2-9 b:2-30 c:2-40 > s=b+c t=s*k",
        """{A} <splits/split> {A.his} {n} equally [with|among] {k} {kin}, so that each <gets/got> the same
        number. One of them <gives/gave> {c} away and <has/had> {b} left. How
        many {n} <does/did> {A} split?""",
        n="things|snacks|school",
        kin=("friends", "cousins", "students", "children"),
        weight=0.3,
    ),
    tale(
        "k:2-9 b:2-9 e:3-20 t=k*e b<e > r=t/k s=r-b",
        """{A} <shares/shared> {t#n} equally among {k} {kin}. Then each of them <uses/used> {b}. How many {n}
        <does/did> each have left?

        {A} <puts/put> {t#n} equally in {k} {box}. Then {A.he} <takes/took> {b} out of each. How many {n}
        <are/were> in each of the {box} now?""",
        n="things|snacks|school",
        kin=("friends", "cousins", "students", "children"),
        box=("boxes", "bags", "baskets", "jars"),
        about="each",
        weight=0.8,
    ),
    tale(
        "k:2-9 b:2-9 e:3-20 t=k*e > r=t/k s=r+b",
        """{A} <shares/shared> {t#n} equally among {k} {kin}. Each of them already <has/had> {b}. How many {n}
        <does/did> each have [now|then]?

        {t} students <are/were> put into {k} equal groups. Then {b} more students <join/joined> each
        group. How many students <are/were> in each group?""",
        n="things|snacks|school",
        kin=("friends", "cousins", "students", "children"),
        about="each",
        weight=0.8,
    ),
    tale(
        "k:3-12 a:10-80 b:5-60 s=a+b m=s/k t=m*k > u=a+b v=u/k",
        """{A} <picks/picked> {a#n} and {B} <picks/picked> {b}. They <put/put> them equally into {k} {box}.
        How many {n} <are/were> in each?

        {A} <has/had> {a} {color} and {b} {color2} {n}. {A.he} <puts/put> all of them in {k} {box} with
        the same number in each. How many {n} <are/were> in each?""",
        n="fruit|vegetables|flowers|scouting",
        box=("boxes", "bags", "baskets", "buckets", "piles"),
        about="each",
        weight=1.2,
    ),
)

MIXED: tuple[Scenario, ...] = (
    SHAPES + MEASURES + READING + AVERAGES + SEATS + STARTS_UNKNOWN + RATIOS + TIME + CHAINS
)

"""Word problems about equal groups: multiplying, sharing, packing, arrays, changes before or after."""

from replication.testbed.story_daily import DAILY
from replication.testbed.story_frames import tale
from replication.testbed.story_mixed import MIXED
from replication.testbed.story_money import MONEY
from replication.testbed.story_parts import Scenario

MULTIPLY = (
    tale(
        "k:2-12 e:2-15 > t=k*e",
        """{A} <has/had> {k#box}. There <are/were> {e#n} in [each|every] {box.one}. How many {n} <does/did>
        {A~} have [|altogether|in all|in total]?

        {A} <has/had> {k#box} of {n}. Each {box.one} [<has/had>|<contains/contained>] {e#n}. How many {n}
        <does/did> {A~} have [|altogether|in all|in total]?

        There <are/were> {k#box} of {n} [in the {room}|at the {place}|]. [Each {box.one}
        [<has/had>|<contains/contained>] {e#n}|There <are/were> {e#n} in each {box.one}]. How many {n}
        <are/were> there [in all|altogether|in total|]?

        [If|Suppose] {A} <has/had> {k#box} and each {box.one} <has/had> {e#n}, how many {n} <does/did>
        {A~} have?

        How many {n} are there in {k#box} if each {box.one} has {e#n}?

        {A} saw {k#box} [at the {place}|in {town}|on {day}]. If there were {e#n} in each {box.one}, what
        was the total number of {n} [|that {A} saw]?

        If one {box.one} [has|can hold|holds] {e#n}, how many {n} [are there in|can be put in|are in]
        {k#box}?

        {A} [sorts|divides|puts|splits] {A.his} {n} into {k#box}, with {e#n} in each {box.one}. How many
        {n} does {A} have?

        [Each|Every] {box.one} holds {e#n}. [How many {n} are needed to fill|How many {n} will fill|How
        many {n} fit in] {k#box}?""",
        table="held",
        weight=3.0,
    ),
    tale(
        "k:2-12 e:2-15 > t=k*e",
        """{A} <buys/bought> {k#box} of {n} [at the {shop}|on {day}|for the {event}|]. There <are/were> {e#n}
        in [each|every] {box.one}. How many {n} <does/did> {A~} [buy|get] [in all|altogether|in total|]?

        {A} <has/had> {k#box} of {n} with {e#n} in each {box.one}. How many {n} <does/did> {A~} have?

        {A} <carries/carried> {k#box} to the {place}, each with {e#n} [inside|in it]. How many {n}
        <does/did> {A~} carry?

        {A.s} {relative} <gives/gave> {A.him} {k#box} with {e#n} in each. How many {n} <does/did> {A} get
        [altogether|in all|]?""",
        table="owned",
        weight=2.0,
    ),
    tale(
        "k:2-14 e:2-30 > t=k*e",
        """{A} {verb~} {e#n} [every|each|per|a] day. How many {n} <does/did> {A~} {verb} in {k} days?

        {A} can {verb} {e#n} [every hour|per hour|an hour|in one hour|in an hour]. How many {n} can {A~}
        {verb} in {k} hours?

        {A} {verb.s} {e#n} [every|each|a|per] week. How many {n} will {A~} {verb} [in|after] {k} weeks?

        At a rate of {e#n} per [hour, how many {n} can {A} {verb} in {k} hours|day, how many {n} can {A}
        {verb} in {k} days]?

        {k} [people|friends|students|children|workers|teachers|volunteers] each {verb.ed} {e#n} [on
        {day}|for the {event}|last week|yesterday|]. How many {n} did they {verb} [altogether|in all|in
        total]?

        For the {event}, {A} and {A.his} friends {verb.ed} {n}. There were {k} people in the group, and
        each person {verb.ed} {e#n}. How many {n} did they {verb}?

        {A} {verb.ed} {e#n} [per|each|every] day for {k} days. [How many {n} did {A~} {verb} in all?|What
        is the total number of {n}?]

        If {A} {verb.s} {e#n} [each|every] day, how many {n} does {A~} {verb} in {k} days?""",
        table="made",
        weight=2.5,
    ),
    tale(
        "m:2-12 c:2-12 > t=c*m",
        """[It takes|You need] {m#n} to make [one|a] {item.one}. How many {n} [are needed|does {A} need|are
        required] to make {c#item}?

        Each {item.one} [needs|requires|takes] {m#n}. How many {n} [does {A} need|will be needed|are
        needed] for {c#item}?

        {A} <is/was> preparing {c#item} [for the {event}|for {A.his} {relative}|]. Each {item.one}
        <needs/needed> {m#n}. How many {n} <does/did> {A~} need [in all|in total|altogether|]?

        If [every|each|one] {item.one} needs {m#n}, how many {n} do {c#item} need?""",
        table="users",
        weight=1.5,
    ),
    tale(
        "r:2-20 c:2-20 > t=r*c",
        """{A} <plants/planted> {r} rows of {n} [with {c#n} in each row|and put {c} in each row]. How many {n}
        <are/were> there [in all|altogether|]?

        [A|The] [theater|hall|auditorium|movie theater|stadium section|bus|school gym|church|airplane] has
        {r} rows of {seat} with {c} {seat} in [each|every] row. How many {seat} [are there in all|does it
        have]?

        A [garden|farmer's field|yard|park] has {r} rows of {n}. There are {c#n} in each row. How many {n}
        are there [in all|altogether|]?

        {A} <arranges/arranged> {card} in {r} rows and {c} columns. How many {card} <does/did> {A~} use?

        The [marching band|choir|soldiers|dancers] stood in {r} rows with {c} people in each row. How many
        people were there?

        If there are {c#n} in each of {r} rows, how many {n} are there?""",
        n="trees|flowers|vegetables",
        seat=("chairs", "seats"),
        card=("cards", "tiles", "stickers", "pictures", "chairs", "photos", "blocks", "coins"),
    ),
    *(
        tale(
            f"c:2-30 > t=c*{k}",
            f"""{part_verb} {k} {part}. How many {part} do {{c#n}} have [in all|altogether|in total|]?

            {{A}} <sees/saw> {{c#n}} [at the {{place}}|on {{A.his}} way to school|on the farm|]. If each
            {{n.one}} has {k} {part}, how many {part} <does/did> {{A~}} see?

            How many {part} do {{c#n}} have if each {{n.one}} has {k} {part}?

            There are {{c#n}} [at the {{place}}|on the farm|]. Each {{n.one}} has {k} {part}. How many
            {part} are there [in all|altogether|]?""",
            n=kinds,
            weight=0.15,
            counts=part,
        )
        for k, part, kinds, part_verb in (
            (4, "legs", "farm_legs", "Each {n.one} has"),
            (2, "legs", "bird_legs", "A {n.one} has"),
            (6, "legs", "insect_legs", "One {n.one} has"),
            (8, "legs", "spider_legs", "A {n.one} has"),
            (4, "wheels", "four_wheels", "Every {n.one} has"),
            (2, "wheels", "two_wheels", "A {n.one} has"),
            (3, "wheels", "three_wheels", "A {n.one} has"),
        )
    ),
)

DIVIDE = (
    tale(
        "k:2-12 e:2-15 t=k*e > r=t/k",
        """{A} <has/had> {t#n} to share [equally|evenly] among {k#who}. How many {n} <does/did> each {who.one}
        get?

        {A} <divides/divided> {t#n} [equally|evenly] among {k#who}. How many {n} <does/did> each {who.one}
        [get|receive]?

        {k#who} <share/shared> {t#n} [equally|evenly]. How many {n} <does/did> [each {who.one}|each of
        them] [get|have]?

        There <are/were> {t#n} [for|to be shared by] {k#who}. If everyone <gets/got> the same number, how
        many {n} <does/did> each {who.one} get?

        {t#n} <are/were> [split|shared|divided] [equally|evenly] [among|between] {k#who}. How many {n}
        <does/did> each {who.one} get?

        If {k#who} share {t#n} equally, how many does each one get?

        {A} <gives/gave> the same number of {n} to each of {A.his} {k#who}. If {A.he} <gives/gave> away
        {t#n}, how many {n} <does/did> each {who.one} get?""",
        table="people",
        about="each",
        weight=2.0,
    ),
    tale(
        "k:2-12 e:2-15 t=k*e > r=t/k",
        """{A} <wants/wanted> to {verb} {t#n} equally [in|into] {k#box}. How many {n} [should go|<will/would>
        be] in each {box.one}?

        {A} <has/had> {t#n}. {A.he} <wants/wanted> to {verb} them in {k#box} so that each {box.one}
        <has/had> the same number. How many {n} [<does/did> each {box.one} have|<are/were> in each
        {box.one}]?

        There are {t#n} in {k#box}. Each {box.one} has the same number of {n}. How many {n} are [in|there
        in] each {box.one}?

        {A} {verb~} {t#n} [equally|evenly] in {k#box}. How many {n} <are/were> in each {box.one}?

        [The {n} in {A.s} collection are|A total of {t#n} are] {verb.ed} in {k#box}. If each {box.one}
        gets the same number of the {t#n}, how many does each {box.one} get?""",
        table="packed",
        about="each",
        weight=1.5,
    ),
    tale(
        "k:2-12 e:2-15 t=k*e > r=t/e",
        """{A} <has/had> {t#n} [to {verb}|and <wants/wanted> to {verb} them] in {box}. If {A.he} {verb~} {e#n}
        in each {box.one}, how many {box} <does/did> {A~} [need|fill|use]?

        {A} {verb~} {t#n} in {box}. Each {box.one} <holds/held> {e#n}. How many {box} <does/did> {A~}
        [need|fill]?

        Each {box.one} can hold {e#n}. How many {box} [are needed|does {A} need] [to hold|for] {t#n}?

        {A} <is/was> {verb.ing} {n}. There <are/were> {t#n}, and {e} <go/went> in each {box.one}. How many
        {box} <are/were> there?

        How many {box} does {A} need to {verb} {t#n} if each {box.one} holds {e#n}?

        If {A} has {t#n} and each {box.one} holds {e}, how many {box} does {A~} need?""",
        table="packed",
        counts="box",
        weight=2.0,
    ),
    tale(
        "k:2-14 e:2-25 t=k*e > r=t/e",
        """{A} {verb.s} {e#n} [every|each|per|a] day. How many days will it take {A.him} to {verb} {t#n}?

        {A} can {verb} {e#n} [per hour|an hour|in one hour|every hour]. How [many hours|long] will it take
        to {verb} {t#n} [, in hours|in all|]?

        {A} {verb.ed} {t#n} [in all|]. {A.he} {verb.ed} {e#n} [each|every] day. How many days did it take?

        [If {A} {verb.s} {e#n} per week|At a rate of {e#n} per week], how many weeks [does {A} need|will
        {A} take] to {verb} {t#n}?""",
        table="made",
        counts="days",
    ),
    tale(
        "k:2-14 e:2-25 t=k*e > r=t/k",
        """{A} {verb.ed} {t#n} in {k} [days. How many {n} did {A~} {verb} [each|per|every] day|hours. How many
        {n} did {A~} {verb} [each|per|every] hour], if the number was always the same?

        {A} {verb.ed} {t#n} over {k} days, the same number every day. How many {n} did {A~} {verb}
        [each|per] day?

        {A} needs to {verb} {t#n} in {k} [weeks. How many {n} [must|should] {A~} {verb} each week|days.
        How many {n} [must|should] {A~} {verb} each day]?

        It took {A} {k} hours to {verb} {t#n}. [How many {n} did {A~} {verb} per hour|On average, how many
        {n} was that per hour]?

        {k} [people|workers|friends|students] {verb.ed} {t#n} [together|in all]. Each of them {verb.ed}
        the same number. How many {n} did each person {verb}?""",
        table="made",
        weight=1.5,
    ),
    tale(
        "k:2-12 e:2-12 t=k*e > r=t/e",
        """{t#n} are [going to the {place}|going on a field trip|waiting for a ride|signed up for the
        {event}]. {cap} {box.one} [can hold| holds|has room for] {e#n}. How many {box} are needed?

        There are {t#n} [in the school|on the trip|at the {place}|]. If each {box.one} holds {e#n}, how
        many {box} [are needed|do they need]?

        The {n} split into {box} of {e}. If there are {t#n}, how many {box} are there?

        {A} needs to seat {t#n}. [If {e#n} fit|There is room for {e#n}] in each {box.one}[,|. So] how many
        {box} does {A} need?""",
        table="seats",
        cap=("Each", "Every", "One"),
        counts="box",
    ),
    tale(
        "m:2-12 c:2-12 t=c*m > r=t/m",
        """{A} <has/had> {t#n}. Each {item.one} <needs/needed> {m#n}. How many {item} [can {A~} make|can be
        made]?

        It takes {m#n} to make [one|a] {item.one}. How many {item} can {A} make [with|from|using] {t#n}?

        {A} <uses/used> {t#n} to make {item}. If each {item.one} <takes/took> {m#n}, how many {item}
        <does/did> {A~} make?""",
        table="users",
        counts="item",
    ),
    tale(
        "m:2-12 c:2-12 t=c*m > r=t/c",
        """{A} <uses/used> {t#n} to make {c#item}. How many {n} <are/were> in each {item.one} if each
        <has/had> the same number?

        {c#item} need {t#n}. How many {n} does [one|each|a single] {item.one} need?

        It took {t#n} to make {c#item}. How many {n} did each {item.one} take?""",
        table="users",
        about="each",
    ),
    tale(
        "r:2-20 c:2-20 t=r*c > e=t/r",
        """There are {t} {seat} in {r} equal rows. How many {seat} are in each row?

        {A} <wants/wanted> to plant {t#n} in {r} rows [with the same number in each row|of the same
        length]. How many {n} <will/would> be in each row?

        {t#n} are planted in {r} equal rows. How many {n} are in [each|one] row?

        {A} arranged {t} {seat} in rows. There were {r} {seat} in each row. How many rows were there?""",
        n="trees|flowers|vegetables",
        seat=("chairs", "seats", "desks"),
        about="each row",
    ),
)

BEFORE_AFTER = (
    tale(
        "k:2-10 e:2-12 c:2-60 > t=k*e r=t-c",
        """{A} <buys/bought> {k#box} of {n}. Each {box.one} <has/had> {e#n}. {A.he} <gives/gave> {c#n} to
        {A.his} {relative}. How many {n} <does/did> {A~} have [left|now]?

        {A} <has/had> {k#box} with {e#n} [each|in each one]. {A.he} [<uses/used>|<loses/lost>|<gives/gave>
        away|<sells/sold>] {c} [of them|of the {n}]. How many {n} <are/were> left?

        There <are/were> {k#box} of {n} with {e#n} in each. [If|After] {c} of the {n} <are/were>
        [taken|removed|sold|used|given away|lost], how many {n} <remain/remained>?

        {A} <has/had> {k#box}, each with {e#n}. How many {n} <does/did> {A~} have left after [giving
        away|selling|losing|using] {c} of them?

        {A} <needs/needed> {k#box} with {e#n} in each {box.one}. {A.he} already <has/had> {c#n}. How many
        more {n} <does/did> {A~} need?""",
        table="owned",
        weight=2.0,
    ),
    tale(
        "k:2-10 e:2-12 c:2-60 > t=k*e r=t+c",
        """{A} <buys/bought> {k#box} of {n}. Each {box.one} <has/had> {e#n}. {A.he} already <has/had> {c#n}.
        How many {n} <does/did> {A~} have [now|in all|altogether|in total]?

        {A} <has/had> {k#box} with {e#n} in each {box.one} and {c} [more|extra|other|loose|additional]
        {n}. How many {n} <does/did> {A~} have [in all|altogether|in total]?

        There <are/were> {e#n} in each of {k#box}. {B} <brings/brought> {c} more {n}. How many {n}
        <are/were> there now?

        {A} <has/had> {c#n}. [Then|Later|On {day}|For {A.his} birthday], {A.he} <gets/got> {k#box} of
        {e#n} each. How many {n} <does/did> {A~} have [now|then|in total]?

        {A} <fills/filled> {k#box} with {e#n} each and <has/had> {c#n} left over. How many {n} <does/did>
        {A~} have [at first|to begin with|in the beginning|in all]?""",
        table="owned",
        weight=2.0,
    ),
    tale(
        "k:2-10 e:2-12 u=k*e c:2-40 t=u+c > r=t-c s=r/e",
        """{A} <has/had> {t#n}. {A.he} <gives/gave> {c} [away|to {A.his} {relative}|to {B}] and {verb~} the
        rest in {box}. Each {box.one} <holds/held> {e#n}. How many {box} <does/did> {A~} [use|need|fill]?

        {A} <picks/picked> {t#n} [for the {event}|]. {c} of them <are/were> [bad|broken|too
        small|lost|given away]. If {A.he} {verb~} {e} in each {box.one}, how many {box} can {A~}
        [fill|make] with the {n} that <are/were> left?

        {A} <has/had> {t#n}. After [selling|giving away|losing|using] {c} of them, {A.he} {verb~} the
        remaining {n} in {box} of {e}. How many {box} <are/were> there?

        There were {t#n}. {A} [dropped|lost|used|sold|traded] {c} and {verb.ed} the others in {box} with
        {e#n} each. How many {box} did {A~} fill?""",
        table="packed",
        counts="box",
        weight=2.0,
    ),
    tale(
        "k:2-10 e:2-12 u=k*e c:2-40 t=u+c > r=t-c s=r/k",
        """{A} <has/had> {t#n}. {A.he} <keeps/kept> {c} and <shares/shared> the rest [equally|evenly] among
        {k#who}. How many {n} <does/did> each {who.one} get?

        There <are/were> {t#n}. {A} <takes/took> {c} of them, and {k#who} <divide/divided> the remaining
        {n} equally. How many {n} <does/did> each {who.one} [get|receive]?

        {A} <buys/bought> {t#n} and <gives/gave> {c} of them to {B}. If {A.he} <splits/split> the rest
        evenly between {k#who}, how many {n} <does/did> each {who.one} get?""",
        table="people",
        about="each",
        weight=1.5,
    ),
    tale(
        "k:2-10 e:2-12 u=k*e c:2-40 c<u t=u-c 1<t > r=t+c s=r/k",
        """{A} <has/had> {t#n} and <buys/bought> {c} more. {A.he} <shares/shared> all of them [equally|evenly]
        among {k#who}. How many {n} <does/did> each {who.one} get?

        {A} <has/had> {t#n} and {B} <has/had> {c#n}. They put their {n} together and <share/shared> them
        equally among {k#who}. How many {n} <does/did> each {who.one} get?

        {A} <finds/found> {t#n} on {day} and {c} more on {day2}. If {A.he} <divides/divided> the {n}
        evenly among {k#who}, how many <does/did> each {who.one} receive?""",
        table="people",
        about="each",
        weight=1.2,
    ),
    tale(
        "k:2-10 e:2-12 u=k*e c:2-40 c<u t=u-c 1<t > r=t+c s=r/e",
        """{A} <has/had> {t} {color} {n} and {c} {color2} {n}. {A.he} <wants/wanted> to {verb} them in {box}
        of {e}. How many {box} <does/did> {A~} need?

        {A} <has/had> {t#n}. {A.his} {relative} <gives/gave> {A.him} {c} more. If {A.he} {verb~} {e#n} in
        each {box.one}, how many {box} can {A~} fill?

        {A} <brings/brought> {t#n} and {B} <brings/brought> {c#n}. If they {verb} {e#n} in each {box.one},
        how many {box} [do they need|can they fill|will they have]?""",
        table="packed",
        counts="box",
        weight=1.5,
    ),
    tale(
        "a:2-9 e:2-9 b:2-9 f:2-9 > s=a*e t=b*f r=s+t",
        """{A} <has/had> {a#box} with {e#n} each and {b} [bags|packs|trays|big boxes] with {f#n} each. How
        many {n} <does/did> {A~} have [altogether|in all|in total]?

        {A} <buys/bought> {a} [small|blue|new|cheap] {box} of {n} and {b} [large|red|old|fancy] {box} of
        {n}. The first kind <has/had> {e#n} in each {box.one} and the second kind <has/had> {f}. How many
        {n} <does/did> {A~} buy?

        There are {a#box} of {e#n} and {b#box} of {f#n}. How many {n} are there [in all|altogether|]?

        {A} <has/had> {a#box} of {e#n} each. {B} <has/had> {b#box} of {f#n} each. How many {n} <do/did>
        they have [together|altogether|in total|combined]?""",
        table="owned",
        about="they",
        weight=2.0,
    ),
    tale(
        "a:2-12 e:2-12 b:2-9 f:2-9 > s=a*e t=b*f r=s-t",
        """{A} <has/had> {a#box} of {e#n} each. {B} <has/had> {b#box} of {f#n} each. How many more {n}
        <does/did> {A} have than {B}?

        {A} <buys/bought> {a#box} with {e#n} in each. {A.he} <gives/gave> {f#n} to each of {A.his} {b}
        [friends|cousins|neighbors|students| classmates]. How many {n} <does/did> {A~} have left?""",
        table="owned",
        weight=1.2,
    ),
    tale(
        "k:2-9 e:2-9 b:2-9 > s=k*e t=s*b",
        """{A} <has/had> {k} [crates|shelves|cases|cartons|cabinets|rooms]. Each one <holds/held> {e#box}, and
        each {box.one} <holds/held> {b#n}. How many {n} <does/did> {A~} have?

        There <are/were> {b#n} in each {box.one}. {A} <buys/bought> {e#box} [every|each] [day for {k}
        days|week for {k} weeks|month for {k} months]. How many {n} <does/did> {A~} buy [in all|in
        total|altogether|]?

        {k} [friends|people|teachers|children] each <have/had> {e#box}. Each {box.one} <has/had> {b#n}.
        How many {n} <do/did> they have [altogether|in all|in total]?""",
        table="owned",
        weight=1.2,
    ),
    tale(
        "k:2-9 e:2-12 t=k*e b:2-9 b<k > s=t/k r=s*b",
        """{k#box} hold {t#n}. How many {n} [do|can|will] {b#box} hold?

        There are {t#n} in {k#box}. If each {box.one} has the same number, how many {n} are in {b#box}?

        {A} <put/put> {t#n} equally into {k#box}. Then {A.he} <gives/gave> {b} of the {box} to {B}. How
        many {n} <does/did> {B} get?""",
        table="owned",
        weight=1.0,
    ),
    tale(
        "a:2-9 e:2-9 t=a*e b:2-9 u=t*b > s=u/b r=s/e",
        """{A} <has/had> {u#n}. {A.he} <splits/split> them equally among {b} {place2}. In each of them, {A.he}
        <puts/put> {e} in every {box.one}. How many {box} <are/were> there in each of the {b} {place2}?""",
        table="packed",
        place2=("rooms", "shops", "schools", "classes", "tables", "offices", "stands"),
        counts="box",
        weight=0.4,
    ),
    tale(
        "e:3-12 c:2-9 k:2-9 > r=e-c s=k*r",
        """{A} <has/had> {k#box} with {e#n} in each. {A.he} <takes/took> {c#n} out of each {box.one}. How many
        {n} <are/were> left in the {box} [in all|altogether|]?

        {A} <wants/wanted> {e#n} in each of {A.his} {k#box}. So far each {box.one} <has/had> {c#n}. How
        many more {n} <does/did> {A~} need?""",
        table="owned",
        weight=0.8,
    ),
)

GROUPS: tuple[Scenario, ...] = MULTIPLY + DIVIDE + BEFORE_AFTER
SCENARIOS: tuple[Scenario, ...] = GROUPS + MONEY + MIXED + DAILY

"""Sums and differences: joining, taking away, parts and wholes, comparing, levelling, money, distance, time.

Each paragraph is one situation in several wordings; see `story_parts` for the notation. Stories with longer
lists of events are in `story_events`, totals and chains of comparisons in `story_totals`.
"""

from replication.testbed.lexicon import COLOURS, EVENTS, MONTHS, PLACES, SHOPS, SUBJECTS, WEEKDAYS
from replication.testbed.story_parts import Scenario, frames

_WARM, _COOL = COLOURS[:6], COLOURS[6:]
_FIRST, _LAST = WEEKDAYS[:4], WEEKDAYS[4:]
_SPRING, _AUTUMN = MONTHS[:6], MONTHS[6:]
_WHERE = (
    "on the farm",
    "at the zoo",
    "in the park",
    "in the field",
    "near the pond",
    "in the barn",
    "by the river",
)
_IN = ("classroom", "gym", "library", "cafeteria", "theater", "museum", "park", "playground", "hall")

JOIN = (
    frames(
        "x+y",
        """{A} <has/had> {x#n}. {G} <gives/gave> {A.him} {y#more n}. How many {n} does {A} have
        [now|altogether|in all|]?

        {A} has {x#n} and {B} has {y#n}. How many {n} do [they|{A} and {B}|the two friends] have [in all|in
        total|altogether| together]?

        {A} <has/had> {x#n}. {B} <has/had> {y#n}. [How many {n} <do/did> they have [in all|in
        total|altogether|together]?| What <is/was> the total number of {n} they <have/had>?]

        {A} <finds/found> {x#n} and {B} <finds/found> {y#n} [{place}|]. How many {n} <do/did> they find [in
        all|together| altogether]?

        {A} <has/had> {x#c n} and {y#d n}. How many {n} <does/did> {A~} have [in all|in total|altogether|]?

        {A} already <has/had> {x#n} [at home|]. {A~} <buys/bought> {y#more n} [at the {shop}|on {day}|].
        [How many {n} does {A~} have now?|Now how many {n} does {A} have?]

        If {A} has {x#n} and {G} gives {A.him} {y} more, how many {n} will {A} have [in all|altogether|]?

        {A} <starts/started> with {x#n}. {A.he} <gets/got> {y#more n} from {G}. How many {n} does {A} end
        with?

        How many {n} does {A} have [in all|altogether] if {A.he} has {x#n} in one [box|bag|drawer] and {y}
        in another?

        {A} <collects/collected> {x#n} in {month} and {y#n} in {month2}. How many {n} <does/did> {A~}
        collect in [all|total|the two months]?

        [{A} wants to collect {n}.|{A} loves collecting {n}.|{A} has a collection of {n}.] {A.he} <has/had>
        {x} of them and {G} <gives/gave> {A.him} {y} more. How many {n} are in {A.his} collection now?

        {G} <has/had> {x#n}. {A} has {y#more n} than that. How many {n} does {A} have?

        The {shop} <has/had> {x#n} on {day} and <gets/got> {y} more on {day2}. How many {n} <does/did> the
        {shop} have then?

        Before the {event}, {A} <has/had> {x#n}. Then {A.he} <is/was> given {y} more. How many {n} does {A}
        have altogether?""",
        n="things|goods",
        c=_WARM,
        d=_COOL,
        shop=SHOPS,
        day=_FIRST,
        day2=_LAST,
        month=_SPRING,
        month2=_AUTUMN,
        event=EVENTS,
        place=("at the park", "on the beach", "at school", "in the yard", "in the attic"),
    ),
    frames(
        "x+y",
        """{A} <picks/picked> {x#n} and {B} <picks/picked> {y#n} [from the tree|in the garden|at the
        orchard|on the farm]. How many {n} <do/did> they pick [in all|in total|altogether|together]?

        {A} <grows/grew> {x#n} and {y#m} [in {A.his} garden|on {A.his} farm|]. How many [plants|vegetables]
        <does/did> {A~} grow [in total|altogether]?

        There <are/were> {x#n} and {y#m} in [a|the] [basket|bowl|bag|crate]. [How many pieces of food
        <are/were> there in all?| What is the total number of pieces in it?]

        {A} <buys/bought> {x#pound} of {n} and {y#pound} of {m}. How many pounds of food <does/did> {A~} buy
        [in all|altogether]?

        The [cook|restaurant|school cafeteria] <uses/used> {x#n} in the morning and {y} in the afternoon.
        How many {n} <are/were> used [in all|that day]?""",
        n="vegetables|fruit",
        m="~n",
    ),
    frames(
        "x+y",
        """{A} <buys/bought> {x#n} and {y#m} [at the {shop}|]. How many [things|items] <does/did> {A~} buy
        [in all|in total|altogether]?

        {A} <has/had> {x#n} and {y#m}. How many things <does/did> {A~} have [in all|in total|altogether]?

        A {shop} <sells/sold> {x#n} and {y#m} [on {day}|last week|today]. How many items <does/did> it sell
        [in all|altogether]?

        {A} <packs/packed> {x#n} and {y#m} [for a trip|into boxes|before moving]. How many items <does/did>
        {A~} pack?

        There <are/were> {x#n} on [the|one] table and {y#m} on the floor. How many objects <are/were> there
        [in all|altogether]?""",
        n="goods",
        m="~n",
        shop=SHOPS,
        day=WEEKDAYS,
    ),
    frames(
        "x+y",
        """There <are/were> {x#n} and {y#m} {where}. How many animals <are/were> there [{where}|in
        all|altogether|]?

        {A} <sees/saw> {x#n} and {y#m} {where}. How many animals <does/did> {A~} see [in all|altogether|]?

        A farmer has {x#n} and {y#m}. How many animals does the farmer have [in all|in total]?

        {x#n} <are/were> {where}. {y#m} <join/joined> them. How many animals are {where} now?""",
        n="farm|pets|wild|bugs",
        m="~n",
        where=_WHERE,
    ),
    frames(
        "x+y",
        """There <are/were> {x#girl} and {y#boy} in {A.s} [class|school|club|grade]. How many
        [students|children|kids] <are/were> there [in all|altogether]?

        {x#boy} and {y#girl} [<go/went> to the {place}|<are/were> at the {place}|<sign/signed> up for the
        trip]. How many children <are/were> there [in all|altogether]?

        There <are/were> {x#adult} and {y#child} at the {event}. How many people <are/were> at the {event}
        [in all|]?

        {x#student} <are/were> in one [class|bus|group] and {y} <are/were> in another. How many students
        <are/were> there in all?

        {x#person} <visit/visited> the {place} on {day} and {y#person} <visit/visited> it on {day2}. How
        many people <visit/visited> the {place} on [those|the] two days?

        The {event} <has/had> {x#visitor} in the morning and {y} in the afternoon. How many visitors
        <were/were> there that day?

        There <are/were> {x#person} in line for the {event}. Then {y#more person} <get/got> in line. How
        many people are in line now?

        {x#guest} <arrive/arrived> at {A.s} party. Later, {y#more guest} <come/came>. How many guests
        <are/were> at the party?""",
        place=PLACES,
        event=EVENTS,
        day=_FIRST,
        day2=_LAST,
    ),
    frames(
        "x+y",
        """There are {x#n} [currently |]in the {place}. [{A}|Park workers|A gardener] will plant {y#more n}
        [today|tomorrow|this week]. How many {n} will [the {place} have|there be in the {place}] [in the
        end|then|when the work is finished]?

        {A} <plants/planted> {x#n} [on {day}|in the front yard|in the morning] and {y#n} [on {day2}|in the
        back yard|in the afternoon]. How many {n} <does/did> {A~} plant [in all|in total|altogether]?

        The {place} has {x#n} [along the path|near the gate|by the fence]. {A} <adds/added> {y#more n}. What
        is the total number of {n} in the {place}?""",
        n="plants",
        place=("park", "garden", "yard", "school garden", "orchard"),
        day=_FIRST,
        day2=_LAST,
    ),
)
TAKE = (
    frames(
        "x-y",
        """{A} <has/had> {x#n}. {A.he} <gives/gave> {y} [of them |of the {n} |{n} |]to {G}. How many {n}
        does {A} have [left|now]?

        {A} <has/had> {x#n}. {A.he} <loses/lost> {y} [of them|{n}|] [{place}|]. How many {n} <does/did> {A}
        have left?

        {A} <has/had> {x#n} and <sells/sold> {y} of them. [How many {n} are left?|How many {n} <does/did>
        {A} have left?|How many {n} remain?]

        If {A} has {x#n} and gives {y} to {G}, how many {n} will {A.he} have left?

        {G} <gives/gave> {A} {x#n}. {A} <loses/lost> {y} of them. How many {n} does {A} have now?

        {A} <buys/bought> {x#n}. {y} of them <are/were> broken. How many {n} <are/were> not broken?

        There <are/were> {x#n} in the [box|drawer|bag|basket]. {A} <takes/took> [out |]{y} of them. How many
        {n} are left in it?

        {A} <has/had> {x#n}. {G} <takes/took> {y} of them away. How many {n} <does/did> {A} have left?

        {A} <starts/started> [the day|out|] with {x#n}. {A.he} <shares/shared> {y} with {G}. How many {n}
        does {A} end with?

        Of the {x#n} that {A} <has/had>, {y} <are/were> {c}. [The rest <are/were> {d}. How many {n}
        <are/were> {d}?|How many <are/were> not {c}?]

        {A} <has/had> {x#c n}. {A.he} <throws/threw> away {y} [of them|] because they <are/were>
        [old|broken|dirty]. How many {c} {n} <does/did> {A} keep?

        A {shop} <has/had> {x#n}. It <sells/sold> {y} [of them|{n}] [on {day}|that day|]. How many {n}
        <are/were> [left|not sold]?

        How many {n} are left if {A} has {x#n} and uses {y} [of them|]?

        {A} <needs/needed> {x#n} for the {event}. {A.he} already <has/had> {y}. How many more {n} <does/did>
        {A} need?

        [For the {event}, |]{A} <wants/wanted> to have {x#n}. So far {A.he} <has/had> {y#n}. How many more
        {n} <does/did> {A~} need [to buy|to get|]?

        {A} <has/had> {y#n}. After {A.he} <buys/bought> some more, {A.he} <has/had> {x#n}. How many {n}
        <does/did> {A} buy?

        {A} has {y#n}. {G} gives {A.him} some more [{n}|]. Now {A} has {x#n}. How many {n} did {A} get from
        {G}?

        {A} <has/had> {x#n}. {A.he} <gives/gave> some [of them|{n}] to {G}. Now {A.he} has {y#n} left. How
        many {n} did {A} give away?

        {A} <has/had> some {n}. {A.he} <gets/got> {y} more and now has {x#n}. How many {n} did {A} have [at
        first|to start with|in the beginning|to begin with]?

        {A} had some {n}. {G} gave {A.him} {y} more. [Now|Then] {A} [has|had] {x#n} [in all|altogether|].
        How many {n} did {A} have [before|at first|to begin with]?

        {A} and {B} have {x#n} [altogether|in all|together]. {A} has {y} of them. How many {n} does {B}
        have?

        {A} <has/had> {x#n}, {y} of which <are/were> {c}. How many of the {n} <are/were> not {c}?

        There <are/were> {x} {c} and {d} {n} in a [box|bag|jar]. {y} of them <are/were> {c}. How many
        <are/were> {d}?

        {A} <buys/bought> {x#n} on {day}. On {day2} {A.he} <returns/returned> {y} of them to the {shop}. How
        many {n} <does/did> {A.he} keep?

        {A} has {x#n} and {y#m}. How many more {n} than {m} does {A} have?

        {A} <has/had> {x#n} and {y#m}. How many fewer {m} than {n} <does/did> {A.he} have?""",
        n="things|goods",
        m="~n",
        c=_WARM,
        d=_COOL,
        shop=SHOPS,
        day=_FIRST,
        day2=_LAST,
        event=EVENTS,
        place=("at the park", "on the way home", "at school", "on the bus", "at the beach"),
    ),
    frames(
        "x-y",
        """{A} <bakes/baked> {x#n}. {A.his} [family|friends] <eat/ate> {y} of them. How many {n} are left?

        There <are/were> {x#n} on the [table|counter|tray]. {A} <eats/ate> {y} of them. How many {n} [are
        left|remain]?

        {A} <bakes/baked> {x#n} for the {event}. {A.he} <sells/sold> {y} of them. How many {n} <does/did>
        {A} have left?

        {A} <bakes/baked> {x#n} on {day} and {y#n} on {day2}. How many more {n} <does/did> {A~} bake on
        {day} than on {day2}?

        {A} <has/had> {x#n}. {A.he} <eats/ate> some of them. {y#n} <are/were> left. How many {n} <does/did>
        {A} eat?

        The baker <makes/made> {x#n}. [He|She] <sells/sold> {y} of them. How many {n} does the baker still
        have?

        {A} <buys/bought> {x#n}. {y} of them <are/were> [bad|burnt|too small]. How many good {n} <are/were>
        there?""",
        n="baked|meals",
        event=EVENTS,
        day=_FIRST,
        day2=_LAST,
    ),
    frames(
        "x-y",
        """There <are/were> {x#n} {where}. {y} of them <leave/left>. How many {n} are left?

        {x#n} <are/were> {where}. {y#n} <go/went> away. How many {n} are still {where}?

        There <are/were> {x#n} {where}. Some of them <leave/left>. Now there are {y#n}. How many {n} left?

        {A} <counts/counted> {x} [animals|birds|creatures] {where}. {y} of them <are/were> {n} and the rest
        <are/were> {m}. How many {m} <are/were> there?

        There <are/were> {y#n} {where}. More {n} <come/came>. Now there are {x#n}. How many {n} came?

        {A} <has/had> {x} animals. {y} of them are {n}. The others are {m}. How many {m} does {A} have?""",
        n="farm|pets|wild|bugs",
        m="~n",
        where=_WHERE,
    ),
    frames(
        "x-y",
        """There are {x#student} in {A.s} class. {y} of them are [girls|boys|absent today|in the
        band|wearing hats]. How many are not?

        There <are/were> {x#person} [on the bus|at the {event}|in the {room}]. {y} [of them |people
        |]<leave/left>. How many people are left?

        {x} [students|children] <go/went> to the {event}. {y} of them <are/were> boys. How many <are/were>
        girls?

        A [class|school|team] has {x#student}. {y} are boys. How many girls are there?

        The {room} has {x#seat}. {y} of them are [taken|full|used]. How many seats are [empty|free]?

        {x#person} <go/went> to the {event} this year. Last year {y} people <go/went>. How many more people
        <go/went> this year?

        There <are/were> {x#person} in line. {y} of them <get/got> tired and <leave/left>. How many people
        <are/were> still in line?

        {A} <invites/invited> {x#person} to the {event}. {y} of them [cannot come|<say/said> no|<do/did> not
        come]. How many people <come/came>?

        There were {y#person} in the {room}. Then more people came in. Now there are {x#person} in the
        {room}. How many people came in?

        Some people were on the bus. At a stop, {y#more person} got on. Now there are {x#person} on the bus.
        How many people were on the bus [before|at first]?""",
        event=EVENTS,
        room=_IN,
        y=(2, 60),
        x=(4, 200),
    ),
    frames(
        "x-y",
        """{A} <has/had> {x} pages to read. {A.he} <reads/read> {y} [of them|pages] [today|on {day}|so far].
        How many pages are left [to read|]?

        {A} <is/was> reading a book with {x#page}. {A.he} <has/had> [already|] read {y} [pages|of them]. How
        many [more |]pages <does/did> {A} have left to read?

        {A} <has/had> {x#exercise} to [do|finish]. {A.he} <finishes/finished> {y} of them [at school|before
        dinner|on {day}]. How many <does/did> {A.he} still have to do?

        {A} <has/had> {x#problem} for [homework|{subject}]. {A.he} <solves/solved> {y} of them. How many
        problems <does/did> {A} have left?

        A book has {x#page}. {A} is on page {y}. How many pages are left?

        {A} <answers/answered> {y} of the {x#question} on the {subject} test [correctly|right]. How many
        questions <does/did> {A~} get wrong?""",
        day=WEEKDAYS,
        subject=SUBJECTS,
        x=(10, 300),
    ),
)
COMPARE = (
    frames(
        "x-y",
        """{A} has {x#n}. {B} has {y#n}. How many more {n} does {A} have than {B}?

        {A} <has/had> {x#n} and {B} <has/had> {y#n}. How many fewer {n} <does/did> {B} have than {A}?

        {A} has {x#n}. {B} has {y#n}. {A} has how many more {n} than {B}?

        {A} <finds/found> {x#n}. {B} <finds/found> {y#n}. What is the difference in the number of {n} they
        <find/found>?

        {A} <has/had> {x#n}. {B} has {y} fewer [{n} |]than {A}. How many {n} does {B} have?

        {A} has {y#more n} than {B}. {A} has {x#n}. How many {n} does {B} have?

        If {A} has {x#n} and {B} has {y} fewer, how many {n} does {B} have?

        {A} <collects/collected> {x#n} and {B} <collects/collected> {y}. How many more {n} must {B} collect
        to have as many as {A}?

        {A} has {y#n}. {B} has {x#n}. How many {n} does {A} need to have the same number as {B}?

        {A} <sells/sold> {x#n} on {day} and {y#n} on {day2}. How many more {n} <does/did> {A~} sell on
        {day}?

        There are {x} {c} {n} and {y} {d} {n} [in a box|in the bag|on the table|in the store]. How many more
        {c} {n} than {d} {n} are there?

        The {shop} <sells/sold> {x#n} and {y#m}. How many more {n} than {m} <does/did> it sell?

        {A} <has/had> {z#o}, {x#n} and {y#m}. How many more {n} than {m} <does/did> {A~} have?

        {A} has {z#o}. {A.he} also has {x#n} and {y} fewer {m} than {n}. How many {m} does {A} have?""",
        n="things|goods",
        m="~n",
        o="animals",
        z=(2, 40),
        c=_WARM,
        d=_COOL,
        day=_FIRST,
        day2=_LAST,
        shop=SHOPS,
        weight=1.2,
    ),
    frames(
        "x+y",
        """{A} has {x#n}. {B} has {y#more n} than {A}. How many {n} does {B} have?

        {A} <has/had> {x#n}. {B} <has/had> {y} more [than {A}|{n} than {A.him}]. How many {n} <does/did> {B}
        have?

        {A} has {y} fewer {n} than {B}. {A} has {x#n}. How many {n} does {B} have?

        If {A} has {x#n} and {B} has {y} more than that, how many {n} does {B} have?

        There are {x#n} in the first box. The second box has {y#more n}. How many {n} are in the second
        box?""",
        n="things|goods",
    ),
    frames(
        "x-y",
        """{A} is {x} years old. {B} is {y} years old. How many years older is {A} than {B}?

        {A} is {x} years old. {B} is {y} years younger [than {A}|]. How old is {B}?

        {A} is {x} years old [now|]. How old was {A.he} {y#year} ago?

        {A} weighs {x#pound}. {B} weighs {y#pound}. How much heavier is {A}?

        {A.s} [rope|ribbon|board] is {x#inch} long. {B.s} is {y#inch} long. How much longer is {A.s}?

        {A} ran {x#mile} last [week|month]. {B} ran {y#mile}. How much farther did {A} run?

        {A} <jumps/jumped> {x#inch}. {B} <jumps/jumped> {y#inch}. How much farther <does/did> {A} jump [than
        {B}|]?

        A [tree|tower|building|pole] is {x#foot} tall. Another one is {y#foot} tall. What is the difference
        in height?

        The temperature <is/was> {x#degree} in the [afternoon|day] and {y#degree} at night. By how many
        degrees <does/did> it drop?

        {A} <spends/spent> {x#minute} on homework and {y#minute} on chores. How many more minutes <does/did>
        {A~} spend on homework?

        {A} scored {x#point} and {B} scored {y#point} in the game. By how many points did {A} win?

        Our team scored {x#point}. We won by {y#point}. How many points did the other team score?

        It takes {A} {x#minute} to [walk|drive|get] to [school|work]. It takes {B} {y} minutes less. How
        long does it take {B}?

        {A} <cuts/cut> {y#inch} off a [board|rope|ribbon|pipe] that <is/was> {x#inch} long. How long is it
        now?

        {A} has to [walk|drive|ride] {x#mile} [to the {place}|]. {A.he} has gone {y#mile} so far. How many
        miles are left?

        A tank <holds/held> {x#gallon} of water. {y#gallon} <leak/leaked> out. How many gallons are left?

        {A} <weighs/weighed> {x#pound} before a diet and {y#pound} after it. How many pounds <does/did> {A}
        lose?""",
        place=PLACES,
        x=(5, 180),
        y=(2, 120),
    ),
    frames(
        "x+y",
        """{A} is {x} years old. {B} is {y} years older [than {A}|]. How old is {B}?

        {A} is {x} years old [now|]. How old will {A.he} be in {y#year}?

        {A} <walks/walked> {x#mile} on {day} and {y#mile} on {day2}. How many miles <does/did> {A~} walk [in
        all|altogether]?

        {A} <drives/drove> {x#mile} to the {place} and then {y#mile} to the {place2}. How far <does/did>
        {A~} drive [in all|in total]?

        {A} <runs/ran> {x#minute} in the morning and {y#minute} in the evening. How many minutes <does/did>
        {A.he} run that day?

        {A} <spends/spent> {x#minute} [cooking|cleaning|reading|drawing] and {y#minute} [doing
        homework|walking the dog|playing]. How long <does/did> it take [in all|altogether]?

        A [plant|tree|puppy] <is/was> {x#inch} tall. It <grows/grew> {y#inch} [in a month|last year|]. How
        tall is it now?

        {A} <scores/scored> {x#point} in the first half and {y#point} in the second half. How many points
        <does/did> {A~} score in all?

        The temperature <is/was> {x#degree} in the morning. It <rises/rose> {y#degree} [by noon|]. What
        <is/was> the temperature then?

        {A} <reads/read> {x#page} [on {day}|in the morning] and {y#page} [on {day2}|at night]. How many
        pages <does/did> {A~} read [in all|altogether]?

        It <rains/rained> {x#inch} on {day} and {y#inch} on {day2}. How much rain <falls/fell> in all?

        {A} [cycles|rides] {x#mile} to school. From there it is {y#mile} to the {place}. How long is the
        whole way?""",
        place=PLACES[:14],
        place2=PLACES[14:],
        day=_FIRST,
        day2=_LAST,
        x=(2, 90),
        y=(2, 60),
    ),
)
MONEY = (
    frames(
        "x-y",
        """{A} <has/had> {x$}. {A.he} <spends/spent> {y$} [on a {n.one}|at the {shop}|]. How much money does
        {A} have [left|now]?

        {A} <buys/bought> a {n.one} for {y$}. {A.he} <pays/paid> with {x$}. How much change <does/did> {A}
        get?

        A {n.one} costs {x$}. {A} has {y$}. How much more money does {A} need [to buy it|]?

        {A} <has/had> {x$} [before shopping|]. After buying a {n.one} {A.he} <has/had> {y$} left. How much
        <does/did> the {n.one} cost?

        A {n.one} [usually costs|costs] {x$}. [It is on sale for {y$}.|Today it costs {y$}.] How much [does
        {A} save|is the discount]?

        A {n.one} costs {x$} and a {m.one} costs {y$}. How much more does the {n.one} cost [than the
        {m.one}|]?

        {A} <wants/wanted> a {n.one} that costs {x$}. {A.he} <has/had> a coupon for {y$} off. How much
        <does/did> {A.he} pay?

        The price of a {n.one} <is/was> {x$}. The {shop} <lowers/lowered> it by {y$}. What is the new price?

        {A} <earns/earned> {x$} and <gives/gave> {y$} to {G}. How much <does/did> {A} keep?

        {A} <spends/spent> {x$} on a {n.one} and a {m.one}. The {m.one} <costs/cost> {y$}. How much
        <does/did> the {n.one} cost?

        {A} <saves/saved> {x$}. {B} <saves/saved> {y$}. How much more money <does/did> {A} save than {B}?

        {A} <has/had> {y$}. {G} <gives/gave> {A.him} some money. Now {A} has {x$}. How much did {A} get?""",
        n="shopping",
        m="~n",
        shop=SHOPS,
        x=(5, 150),
        y=(2, 100),
        weight=1.2,
    ),
    frames(
        "x+y",
        """{A} <spends/spent> {x$} on a {n.one} and {y$} on a {m.one}. How much <does/did> {A~} spend [in
        all|in total|altogether]?

        A {n.one} costs {x$} and a {m.one} costs {y$}. How much [do they|do both] cost together?

        {A} <buys/bought> a {n.one} for {x$} and a {m.one} for {y$}. What <is/was> the total cost?

        {A} <has/had> {x$}. {A.he} <earns/earned> {y$} [by washing cars|for mowing lawns|babysitting|]. How
        much money does {A} have now?

        {A} <pays/paid> {x$} for a {n.one} and <has/had> {y$} left. How much money <does/did> {A} have [at
        first|before that]?

        A {n.one} costs {y$} more than a {m.one}. The {m.one} costs {x$}. How much does the {n.one} cost?

        If a {n.one} costs {x$} and a {m.one} costs {y$}, how much [will {A} pay|must {A} pay|does {A} need]
        for both?

        {A} <saves/saved> {x$} in {month} and {y$} in {month2}. How much <does/did> {A} save in [all|the two
        months]?""",
        n="shopping",
        m="~n",
        month=_SPRING,
        month2=_AUTUMN,
        x=(2, 120),
        y=(2, 80),
    ),
)
SCENARIOS: tuple[Scenario, ...] = sum(JOIN + TAKE + COMPARE + MONEY, ())

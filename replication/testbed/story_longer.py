"""Sums and differences in two and three steps; see `story_parts` for the notation."""

from replication.testbed.lexicon import COLOURS, EVENTS, MONTHS, PLACES, SHOPS, SUBJECTS, WEEKDAYS
from replication.testbed.story_parts import Scenario, frames

_TEXTS = {
    "c": COLOURS[:4],
    "d": COLOURS[4:8],
    "e": COLOURS[8:],
    "shop": SHOPS,
    "day": WEEKDAYS[:2],
    "day2": WEEKDAYS[2:4],
    "day3": WEEKDAYS[4:],
    "month": MONTHS[:4],
    "month2": MONTHS[4:8],
    "month3": MONTHS[8:],
    "event": EVENTS,
    "place": PLACES[:14],
    "place2": PLACES[14:],
    "subject": SUBJECTS,
}

_THINGS = {**_TEXTS, "n": "things|goods", "m": "~n"}
TWO_THINGS = (
    frames(
        "x+y, r1-z",
        """{A} has {x#c n} and {y#d n}. {A.he} gives {z} [of them|{n}] to {G}. How many {n} does {A} have
        [left|now]?

        {A} <buys/bought> {x#n} on {day} and {y} more on {day2}. On {day3} {A.he} <gives/gave> {z} [of them
        |]away. How many {n} <does/did> {A} have left?

        {A} has {x#n} and {B} has {y}. They <use/used> {z} of them [for the {event}|]. How many {n} are
        left?

        {A} and {B} <collect/collected> {n}. {A} <has/had> {x} and {B} <has/had> {y}. Together they
        <give/gave> {z} [of them |]to {G}. How many {n} <do/did> they have left?

        A {shop} <has/had> {x#n} in the morning. At noon {y} more <arrive/arrived>. By the evening {z}
        <are/were> sold. How many {n} <are/were> left?

        If {A} has {x#n}, gets {y} more from {G} and loses {z}, how many {n} will {A.he} have?

        {A} <makes/made> {x#n} [yesterday|on {day}] and {y#n} [today|on {day2}]. {A.he} <sells/sold> {z} of
        them. How many does {A.he} have left [to sell|]?

        In {A.s} room there <are/were> {x#n} on the shelf and {y} on the floor. {A.his} mother <puts/put>
        {z} of them into a box. How many {n} <are/were> not in the box?""",
        **_THINGS,
    ),
    frames(
        "x-y, r1+z",
        """{A} <has/had> {x#n}. {A.he} <gives/gave> {y} to {G} and <buys/bought> {z} more. How many {n} does
        {A} have now?

        {A} <has/had> {x#n}. {A.he} <loses/lost> {y} of them, but then {G} <gives/gave> {A.him} {z} new
        ones. How many {n} <does/did> {A~} have [then|in the end]?

        A {shop} <has/had> {x#n}. It <sells/sold> {y} [of them|] and <receives/received> {z} new ones. How
        many {n} are [now |]in the {shop}?

        If {A} starts with {x#n}, sells {y} and buys {z}, how many {n} does {A.he} end up with?

        {A} <borrows/borrowed> {x#n} from {G}. {A.he} <returns/returned> {y} of them and later
        <borrows/borrowed> {z} more. How many {n} does {A} have [now|at home now]?

        There <are/were> {x#n} in a [box|bag|drawer]. {A} <takes/took> out {y} and <puts/put> in {z}. How
        many {n} are in it now?""",
        **_THINGS,
    ),
    frames(
        "x-y, r1-z",
        """{A} <has/had> {x#n}. {A.he} <gives/gave> {y} to {G} and {z} to {H}. How many {n} <does/did> {A}
        have left?

        {A} <has/had> {x#n}. {A.he} <sells/sold> {y} on {day} and {z} on {day2}. How many {n} are left?

        There <are/were> {x#n} in the {shop}. {A} <buys/bought> {y} and {B} <buys/bought> {z}. How many {n}
        are still there?

        Out of {x#n}, {A} <gives/gave> {y} to {B} and {z} to {C}. How many {n} <does/did> {A} keep?

        {A} <has/had> {x#n}: {y} <are/were> {c}, {z} <are/were> {d} and the rest <are/were> {e}. How many
        {e} {n} <does/did> {A} have?

        {A}, {B} and {C} have {x#n} [together|in all|altogether]. {A} has {y} and {B} has {z}. How many {n}
        does {C} have?

        {A} <orders/ordered> {x#n}. {y} of them <come/came> on {day} and {z} on {day2}. How many {n}
        <are/were> still missing?

        {A} <has/had> {x#n}. {A.he} <loses/lost> {y} at the {place} and {z} at the {place2}. How many {n}
        does {A} have now?

        How many {n} does {A} have left if {A.he} starts with {x}, gives {y} to {B} and then loses {z}?

        {A} <wants/wanted> to collect {x#n}. {A.he} already <has/had> {y}. {G} <gives/gave> {A.him} {z}
        more. How many more {n} <does/did> {A} need?""",
        **_THINGS,
    ),
    frames(
        "y+z, x-r1",
        """{A} <has/had> {x#n}. {y} of them <are/were> {c}, {z} <are/were> {d}, and the rest <are/were> {e}.
        How many {n} <are/were> {e}?

        {A} <needs/needed> {x#n} for the {event}. {A.he} already <has/had> {y}, and {G} <brings/brought> {z}
        more. How many more {n} <does/did> {A} need?

        {A}, {B} and {C} <have/had> {x#n} altogether. {A} <has/had> {y} and {B} <has/had> {z}. The rest
        <belong/belonged> to {C}. How many {n} <does/did> {C} have?

        {A} <is/was> making {x#n} for the {event}. {A.he} <makes/made> {y} on {day} and {z} on {day2}. How
        many {n} <are/were> left to make?

        {A} <wants/wanted> to sell {x#n} in three days. {A.he} <sells/sold> {y} on {day} and {z} on {day2}.
        How many must {A.he} sell on the [third|last] day?

        A {shop} <has/had> {x#n}. On {day} it <sells/sold> {y} and on {day2} it <sells/sold> {z}. How many
        {n} <does/did> the {shop} have left?

        {A} <has/had> {x#n}. {A.he} <gives/gave> {y} to {B} and {z} to {C}. How many {n} does {A} still
        have?

        {A} <has/had> some {n}. {G} <gives/gave> {A.him} {y} and {H} <gives/gave> {A.him} {z}. Now {A} has
        {x#n}. How many {n} did {A} have at first?""",
        **_THINGS,
    ),
    frames(
        "x+y, r1+x",
        """{A} has {x#n}. {B} has {y#more n} than {A}. How many {n} do they have [in
        all|together|altogether]?

        {A} <finds/found> {x#n}. {B} <finds/found> {y} more than {A}. How many {n} <do/did> {A} and {B} find
        together?

        {A} <sells/sold> {x#n} on {day}. On {day2} {A.he} <sells/sold> {y} more than on {day}. How many {n}
        <does/did> {A} sell on the two days?

        There <are/were> {x} {c} {n} and {y} more {d} {n} than {c} ones. How many {n} <are/were> there [in
        all|in total]?

        If {A} has {x#n} and {B} has {y} more, how many {n} do they have in total?""",
        **_THINGS,
    ),
    frames(
        "x-y, r1+x",
        """{A} has {x#n}. {B} has {y} fewer [{n} |]than {A}. How many {n} do they have [in
        all|together|altogether]?

        {A} <picks/picked> up {x#n}. {B} <picks/picked> up {y} fewer. How many {n} <do/did> they pick up [in
        all|together]?

        {A} has {x#n}, which is {y} more than {B} has. How many {n} do {A} and {B} have together?

        On {day}, {A} <makes/made> {x#n}. On {day2}, {A.he} <makes/made> {y} fewer. How many {n} <does/did>
        {A} make in all?

        {A} has {x} {c} {n} and {y} fewer {d} {n}. How many {n} does {A} have altogether?""",
        **_THINGS,
    ),
    frames(
        "x+y, r1-z",
        """{A} has {x#n}. {B} has {y} more than {A}. {C} has {z} fewer than {B}. How many {n} does {C} have?

        {B} has {y#more n} than {A}, and {C} has {z} fewer than {B}. If {A} has {x#n}, how many does {C}
        have?

        {A} has {x#n} and {B} has {y}. {C} has {z} fewer {n} than {A} and {B} together. How many {n} does
        {C} have?""",
        **_THINGS,
    ),
    frames(
        "x+y, r1+z",
        """{A} has {x#n}. {B} has {y} more than {A}, and {C} has {z} more than {B}. How many {n} does {C}
        have?

        {A} <buys/bought> {x#c n}, {y#d n} and {z#e n}. How many {n} <does/did> {A~} buy [in all|in
        total|altogether|]?

        {A} <has/had> {x#n}. {G} <gives/gave> {A.him} {y} and {H} <gives/gave> {A.him} {z}. How many {n}
        does {A} have now?

        {A} <has/had> some {n}. {A.he} <gives/gave> {x} to {B} and {y} to {C}, and {A.he} <has/had> {z}
        left. How many {n} <does/did> {A} have [at first|to begin with|at the start]?

        {A} <finds/found> {x#n}, {B} <finds/found> {y} and {C} <finds/found> {z}. How many {n} <do/did> they
        find [in all|together]?""",
        **_THINGS,
    ),
    frames(
        "x-y, r1-z",
        """{A} has {x#n}. {B} has {y} fewer than {A}. {C} has {z} fewer than {B}. How many {n} does {C}
        have?""",
        **_THINGS,
    ),
    frames(
        "x-z, r1-y",
        """{A} has {x#n} and {B} has {y}. {A} gives {z} of {A.his} {n} away. How many more {n} does {A} have
        than {B} now?

        {A} <has/had> {x#n} and {B} <has/had> {y}. {A} <loses/lost> {z}. How many more {n} than {B} does {A}
        have then?""",
        **_THINGS,
    ),
    frames(
        "x+y, z-r1",
        """{A} <has/had> {x#n}. {A.he} <buys/bought> {y} more. {A.he} <wants/wanted> to have {z} [in
        all|altogether]. How many more {n} <does/did> {A} need?

        {A} has {x#n} and {B} has {y}. {C} has {z}. How many more {n} does {C} have than {A} and {B}
        together?

        {A} and {B} need {z#n} for the {event}. {A} has {x} and {B} has {y}. How many more {n} do they need?

        {A} gave away some of {A.his} {z#n}. {B} got {x}, {C} got {y}, and {A} kept the rest. How many {n}
        did {A} keep?""",
        **_THINGS,
    ),
)
TWO_PEOPLE = (
    frames(
        "x-y, r1+z",
        """There <are/were> {x#person} on a [bus|train|ferry]. At the [next|first] stop, {y} <get/got> off
        and {z} <get/got> on. How many people are on it now?

        {x#person} <are/were> [at the {event}|in the {place}]. {y} <leave/left> and {z#more person}
        <come/came>. How many people are there now?

        {A.s} class <has/had> {x#student}. {y} <move/moved> away and {z} new students <join/joined>. How
        many students are in the class now?

        In the {place} there <are/were> {x#bird}. {y} of them <fly/flew> away, and then {z} new birds
        <land/landed>. How many birds are there now?""",
        y=(2, 40),
        z=(2, 40),
        **_TEXTS,
    ),
    frames(
        "x+y, r1-z",
        """There are {x#boy} and {y#girl} in {A.s} class. Today {z#student} are absent. How many students
        are [in class|there] today?

        {x#adult} and {y#child} <go/went> to the {event}. {z} of them <leave/left> early. How many people
        <are/were> left?

        There <are/were> {x#girl} and {y#boy} on the playground. {z} of them <go/went> inside. How many
        children <are/were> still on the playground?

        A hall has {x} red seats and {y} blue seats. {z#person} <sit/sat> down. How many seats <are/were>
        empty?

        The {place} <has/had> {x#visitor} on {day}. On {day2} {y} more came than on {day}, and on {day3} {z}
        fewer than on {day2}. How many visitors came on {day3}?

        {x#bird} and {y#squirrel} <are/were> in a tree. {z} of the animals <leave/left>. How many animals
        <are/were> left in the tree?""",
        **_TEXTS,
    ),
    frames(
        "y+z, x-r1",
        """There <are/were> {x#person} at the {event}. {y} of them <are/were> men and {z} <are/were> women.
        The rest <are/were> children. How many children <are/were> there?

        {A} <invites/invited> {x#guest}. {y} of them <have/had> to work and {z} <are/were> sick. How many
        guests <come/came>?

        A school has {x#student}. {y} of them walk to school and {z} ride a bike. The others take the bus.
        How many students take the bus?

        There are {x#student} in a class. {y} like {subject} best, {z} like sports best, and the rest like
        music best. How many like music best?

        {A} has {x#animal}. {y} are cows, {z} are goats and the rest are chickens. How many chickens does
        {A} have?

        {A} <counts/counted> {x#car} [on the road|in the parking lot]. {y} <are/were> {c}, {z} <are/were>
        {d} and the rest <are/were> {e}. How many {e} cars <does/did> {A} count?

        {A.s} test has {x#question}. {A.he} <answers/answered> {y} in the first hour and {z} in the second.
        How many questions <are/were> left?""",
        x=(10, 200),
        **_TEXTS,
    ),
    frames(
        "x+y, r1+z",
        """There <are/were> {x#man}, {y#woman} and {z#child} [on the bus|at the {event}|in the {place}]. How
        many people <are/were> there in all?

        {x#visitor} <come/came> to the {place} on {day}, {y} on {day2} and {z} on {day3}. How many visitors
        <come/came> [in all|in the three days]?

        {A} <sees/saw> {x#duck}, {y#goose} and {z#swan} on the lake. How many birds <does/did> {A} see [in
        all|altogether]?

        A [farmer|farm] has {x#cow}, {y#sheep} and {z#pig}. How many animals is that?""",
        **_TEXTS,
    ),
)
TWO_MONEY = (
    frames(
        "x+y, z-r1",
        """{A} <buys/bought> a {n.one} for {x$} and a {m.one} for {y$}. {A.he} <pays/paid> with {z$}. How
        much change <does/did> {A} get?

        {A} <has/had> {z$}. {A.he} <buys/bought> a {n.one} for {x$} and a {m.one} for {y$}. How much money
        does {A} have [left|now]?

        {A} <has/had> {z$}. {A.he} <spends/spent> {x$} on a {n.one} and {y$} on a {m.one}. How much <is/was>
        left?

        {A} <wants/wanted> to buy a {n.one} for {z$}. {A.he} <has/had> {x$} and <earns/earned> {y$} more.
        How much more money <does/did> {A.he} need?

        A {n.one} costs {z$}. {A} has {x$}, and {G} <gives/gave> {A.him} {y$}. How much more does {A} need?

        {A} <spends/spent> {z$} at the {shop} on a {n.one}, a {m.one} and a toy. The {n.one} <costs/cost>
        {x$} and the {m.one} <costs/cost> {y$}. How much <does/did> the toy cost?

        If {A} has {z$}, how much will {A.he} have left after buying a {n.one} for {x$} and a {m.one} for
        {y$}?

        {A} <goes/went> to the {shop} with {z$}. {A.he} <buys/bought> a {n.one} that <costs/cost> {x$} and a
        {m.one} that <costs/cost> {y$}. How many dollars <does/did> {A.he} have left?""",
        n="shopping",
        m="~n",
        x=(2, 60),
        y=(2, 50),
        z=(10, 150),
        weight=1.4,
        **_TEXTS,
    ),
    frames(
        "x+y, r1-z",
        """{A} <has/had> {x$}. {G} <gives/gave> {A.him} {y$} [for {A.his} birthday|]. Then {A.he}
        <buys/bought> a {n.one} for {z$}. How much money does {A} have left?

        {A} <earns/earned> {x$} on {day} and {y$} on {day2}. {A.he} <spends/spent> {z$} on a {n.one}. How
        much money <does/did> {A} have left?

        {A} <saves/saved> {x$} in {month} and {y$} in {month2}. In {month3} {A.he} <spends/spent> {z$} [on a
        {n.one}|]. How much money does {A} have now?

        A {n.one} costs {x$} and a {m.one} costs {y$}. {A} <has/had> a coupon for {z$} off. How much
        <does/did> {A~} pay for both?

        {A} <buys/bought> a {n.one} for {x$} and <spends/spent> {y$} to [repair|paint|clean] it. [Then
        {A.he} <sells/sold> it for {z$} less than {A.he} <has/had> spent.] For how much <does/did> {A} sell
        it?""",
        n="shopping",
        m="~n",
        **_TEXTS,
    ),
    frames(
        "x-y, r1-z",
        """{A} <has/had> {x$}. {A.he} <pays/paid> {y$} for a {n.one} and {z$} for a {m.one}. How much money
        does {A} have left?

        {A} <has/had> {x$}. After buying a {n.one} for {y$} and a {m.one}, {A.he} <has/had> {z$} left. How
        much <does/did> the {m.one} cost?

        A {n.one} <costs/cost> {x$}. The {shop} <takes/took> {y$} off, and {A} <has/had> a coupon for
        another {z$}. How much <does/did> {A} pay?

        {A} <earns/earned> {x$} a week. {A.he} <spends/spent> {y$} on food and {z$} on the bus. How much
        <does/did> {A.he} save?""",
        n="shopping",
        m="~n",
        x=(10, 200),
        **_TEXTS,
    ),
    frames(
        "x+y, r1+z",
        """{A} <spends/spent> {x$} on a {n.one}, {y$} on a {m.one} and {z$} on lunch. How much <does/did>
        {A} spend [in all|in total]?

        {A} <buys/bought> a {n.one} for {x$} and a {m.one} for {y$}. {A.he} <has/had> {z$} left. How much
        money <does/did> {A} have [at first|before shopping|to begin with]?

        {A} <earns/earned> {x$} on {day}, {y$} on {day2} and {z$} on {day3}. How much <does/did> {A.he} earn
        [in all|altogether]?""",
        n="shopping",
        m="~n",
        **_TEXTS,
    ),
    frames(
        "x+y, r1+x",
        """A {n.one} costs {x$}. A {m.one} costs {y$} more than the {n.one}. How much do they cost together?

        {A} <buys/bought> a {n.one} for {x$} and a {m.one} that <costs/cost> {y$} more. How much <does/did>
        {A} spend [in all|]?

        {A} <earns/earned> {x$} last week and {y$} more than that this week. How much <does/did> {A} earn in
        the two weeks?""",
        n="shopping",
        m="~n",
        **_TEXTS,
    ),
)
_AMOUNTS = {"x": (5, 150), "y": (2, 60), "z": (2, 60)}
TWO_UNITS = (
    frames(
        "y+z, x-r1",
        """A book has {x#page}. {A} <reads/read> {y#page} on {day} and {z#page} on {day2}. How many pages
        are left [to read|]?

        {A} wants to [run|walk|ride] {x#mile} this week. {A.he} <goes/went> {y#mile} on {day} and {z#mile}
        on {day2}. How many miles are left?

        On a three-day trip, {A} <drives/drove> {x#mile} in all. {A.he} <drives/drove> {y#mile} on the first
        day and {z} on the second. How many miles <does/did> {A} drive on the third day?

        {A} has a [rope|ribbon|board] of {x#foot}. {A.he} <cuts/cut> off a piece of {y#foot} and a piece of
        {z#foot}. How [long is the rest|many feet are left]?

        {A} has {x#minute} before [school|bed|the bus comes]. {A.he} <needs/needed> {y#minute} to eat and
        {z#minute} to get dressed. How many minutes <are/were> left?

        {A} needs {x#point} to win [a prize|the game]. {A.he} <gets/got> {y#point} in the first round and
        {z} in the second. How many more points does {A} need?

        A tank holds {x#gallon} of water. {A} <uses/used> {y#gallon} for the garden and {z#gallon} for the
        car. How many gallons are left?

        {A} <wants/wanted> to lose {x#pound}. {A.he} <loses/lost> {y#pound} in {month} and {z} in {month2}.
        How many more pounds does {A.he} want to lose?""",
        **_TEXTS,
        **_AMOUNTS,
    ),
    frames(
        "x+y, r1-z",
        """{A} <scores/scored> {x#point} in the first game and {y} in the second. {B} <scores/scored> {z}
        fewer than {A} in all. How many points <does/did> {B} score?

        {A} <weighs/weighed> {x#pound}. {A.he} <gains/gained> {y#pound} in the winter and <loses/lost>
        {z#pound} in the summer. How much does {A} weigh now?

        A plant <is/was> {x#inch} tall. It <grows/grew> {y#inch}, and then {A} <cuts/cut> off {z#inch}. How
        tall is it now?

        {A} <fills/filled> a tank with {x#gallon} and <adds/added> {y#gallon} later. {z#gallon} <are/were>
        used. How many gallons are in the tank?""",
        **_TEXTS,
        **_AMOUNTS,
    ),
    frames(
        "x+y, r1-z",
        """{A} is {x} years old. {B} is {y} years older than {A}. {C} is {z} years younger than {B}. How old
        is {C}?

        {A} is {x} years old. {B} is {y} years older. How old was {B} {z#year} ago?""",
        **_TEXTS,
        x=(16, 60),
        y=(2, 14),
        z=(2, 14),
    ),
    frames(
        "x+y, r1-z",
        """The temperature <is/was> {x#degree} in the morning. It <rises/rose> {y#degree} by noon and
        <falls/fell> {z#degree} by night. What <is/was> the temperature at night?""",
        **_TEXTS,
        x=(30, 80),
        y=(3, 25),
        z=(3, 25),
    ),
    frames(
        "x-y, r1+z",
        """{A} <drives/drove> {x#mile} toward the {place}, <turns/turned> around and <drives/drove> {y#mile}
        back. Then {A.he} <drives/drove> {z#mile} toward the {place} again. How far <is/was> {A} from the
        start?

        {A} <weighs/weighed> {x#pound}. {A.he} <loses/lost> {y#pound} and then <gains/gained> {z#pound}.
        What is {A.s} weight now?""",
        **_TEXTS,
        **_AMOUNTS,
    ),
    frames(
        "x-y, r1+z",
        """{A} is {x} years old. {B} is {y} years younger than {A}. {C} is {z} years older than {B}. How old
        is {C}?

        {A} is {x} years old. {B} is {y} years younger. How old will {B} be in {z#year}?

        In {y#year}, {A} will be {x} years old. {B} is {z} years older than {A}. How old is {B} now?""",
        **_TEXTS,
        x=(16, 60),
        y=(2, 14),
        z=(2, 14),
    ),
    frames(
        "x-y, r1+z",
        """It <is/was> {x#degree} [outside|]. The temperature <drops/dropped> by {y#degree} and then
        <goes/went> up by {z#degree}. What is it now?""",
        **_TEXTS,
        x=(30, 80),
        y=(3, 25),
        z=(3, 25),
    ),
    frames(
        "x+y, r1+x",
        """{A} <runs/ran> {x#mile} on {day}. On {day2} {A.he} <runs/ran> {y#mile} more than on {day}. How
        many miles <does/did> {A} run in all?

        {A} <studies/studied> {x#minute} for {subject}, and {y} minutes more than that for the spelling
        test. How many minutes <does/did> {A} study in all?

        {A} <reads/read> {x#page} [yesterday|on {day}] and {y} more [pages |]than that [today|on {day2}].
        How many pages <does/did> {A.he} read altogether?""",
        **_TEXTS,
    ),
    frames(
        "x+y, r1+z",
        """{A} <walks/walked> {x#mile} on {day}, {y#mile} on {day2} and {z#mile} on {day3}. How many miles
        <does/did> {A~} walk in all?

        {A} <spends/spent> {x#minute} on {subject}, {y#minute} on chores and {z#minute} on the piano. How
        many minutes is that [in all|altogether]?

        {A} <reads/read> {x#page} on {day}, {y} on {day2} and {z} on {day3}. How many pages <does/did> {A}
        read?

        It takes {A} {x#minute} to walk to the bus, {y#minute} to ride it and {z#minute} to walk to work.
        How long is the trip?

        {A} <scores/scored> {x#point} in round one, {y} in round two and {z} in round three. What <is/was>
        {A.his} total score?""",
        **_TEXTS,
        **_AMOUNTS,
    ),
    frames(
        "x+y, r1+z",
        """{A} is {x} years old. {B} is {y} years older than {A}, and {C} is {z} years older than {B}. How
        old is {C}?""",
        **_TEXTS,
        x=(16, 60),
        y=(2, 14),
        z=(2, 14),
    ),
)
THREE = (
    frames(
        "x+y, r1+z, r2-w",
        """{A} has {x#c n}, {y#d n} and {z#e n}. {A.he} gives {w} [of them |]to {G}. How many {n} does {A}
        have left?

        {A}, {B} and {C} have {x}, {y} and {z#n}. Together they use {w#n} [for the {event}|]. How many {n}
        are left?

        {A} <makes/made> {x#n} on {day}, {y} on {day2} and {z} on {day3}. {A.he} <sells/sold> {w} of them.
        How many {n} does {A} have left?""",
        **_THINGS,
    ),
    frames(
        "x+y, r1+z, w-r2",
        """{A} needs {w#n} for the {event}. {A.he} has {x}, {B} brings {y} and {C} brings {z}. How many more
        {n} are needed?

        {A} <has/had> {w#n}. {A.he} <gives/gave> {x} to {B}, {y} to {C} and {z} to {G}. How many {n}
        <does/did> {A} keep?

        A {shop} <has/had> {w#n}. It <sells/sold> {x} on {day}, {y} on {day2} and {z} on {day3}. How many
        {n} are left?""",
        w=(20, 300),
        **_THINGS,
    ),
    frames(
        "x+y, x+r1, r2+z",
        """{A} has {x#n}. {B} has {y} more than {A}. {C} has {z}. How many {n} do the three have altogether?

        {A} <finds/found> {x#n} and {B} <finds/found> {y} more than that. {C} <finds/found> {z}. How many
        {n} <do/did> they find in all?""",
        **_THINGS,
    ),
    frames(
        "x+y, x+r1, z-r2",
        """{A} <buys/bought> a {n.one} for {x$} and a {m.one} that <costs/cost> {y$} more. {A.he}
        <pays/paid> with {z$}. How much change <does/did> {A.he} get?

        {A} has {z$}. A {n.one} costs {x$}, and a {m.one} costs {y$} more than the {n.one}. How much will
        {A} have left if {A.he} buys both?""",
        n="shopping",
        m="~n",
        x=(2, 40),
        y=(2, 20),
        z=(20, 150),
    ),
    frames(
        "x+y, r1+z, w-r2",
        """{A} <buys/bought> a {n.one} for {x$}, a {m.one} for {y$} and a toy for {z$}. {A.he} <has/had>
        {w$} [at first|]. How much <is/was> left?

        {A} wants to read {w#page} [in four days|]. {A.he} <reads/read> {x} on {day}, {y} on {day2} and {z}
        on {day3}. How many pages are left?

        {A} <spends/spent> {x$} on a {n.one}, {y$} on a {m.one} and {z$} on food. {A.he} <pays/paid> with
        {w$}. How much change <does/did> {A} get?""",
        n="shopping",
        m="~n",
        w=(20, 200),
        x=(2, 40),
        y=(2, 40),
        z=(2, 40),
        **_TEXTS,
    ),
    frames(
        "x-y, x+r1, r2-z",
        """{A} has {x#n} and {B} has {y} fewer. They put all their {n} together and give {z} to {C}. How
        many {n} are left?

        {A} <picks/picked> {x#n} on {day} and {y} fewer on {day2}. {A.he} <gives/gave> {z} to {G}. How many
        {n} does {A} have left?""",
        **{**_TEXTS, "n": "fruit|vegetables|flowers|scouting"},
    ),
)
SCENARIOS: tuple[Scenario, ...] = sum(TWO_THINGS + TWO_PEOPLE + TWO_MONEY + TWO_UNITS + THREE, ())

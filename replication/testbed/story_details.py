"""Sentences without numbers that may open a tale: they set a scene and change nothing that is asked."""

import random

SHARE = 0.16
_OPENERS = tuple(
    " ".join(sentence.split())
    for sentence in """
    {A} loves to [bake|cook|paint|read|draw|sing|dance|fish|travel|camp|swim|collect things].

    {A} is getting ready for [a|the] {event}.

    {A} likes to [help out|stay active|keep busy|be outside] on weekends.

    It is a [sunny|rainy|cold|hot|windy|busy|quiet|snowy|perfect] {day}.

    It is the first day of [summer|spring|school|the holidays|camp|winter|fall|December].

    {A} [owns|runs|manages|works at] a small [shop|bakery|farm|hotel|ranch|restaurant|cafe|pet
    store|bookstore|orchard|company|warehouse].

    {A} lives in {town} with {A.his} [family|parents|dog|cat|cats|grandmother|wife|husband|roommate].

    {A} is very [happy|excited|hungry|tired|careful|busy|proud|generous] today.

    {A} has just come back from [the market|a long trip|school|the beach|the
    gym|vacation|practice|work|the city].

    {A} has been [busy|working|waiting|training|practicing|saving|planning] all
    [day|week|month|year|morning|summer].

    {A} is trying to [save money|eat healthy food|lose weight|get better at math|keep track of
    everything|finish early|break a record].

    {A} decided to [clean the house|help the neighbors|start a business|learn something new|make a
    list|try a new recipe|exercise every day].

    {A.s} [son|daughter|brother|sister|cousin|uncle|aunt|mom|dad] is coming to visit.

    {A} is planning a [party|trip|picnic|surprise|wedding|cookout|garden|race|show|charity
    event|raffle|holiday].

    {A} wants to buy presents for everyone in the [family|class|office|team|neighborhood].

    {A} is a member of the local [chess|swim|book|music|garden|hiking|running|art|sports] club.

    {A} is in [the fourth grade|the fifth grade|the sixth grade|third grade|college|middle school|high
    school|elementary school].

    {A} [usually|always|often|never] goes to [bed|work|school|the park|the library|the store] late.

    {A} does not know what to do with all {A.his} things.

    {A} needs some help with [math|a science project|homework|counting|an art project|laundry|shopping].

    {A} saw a sign at the [mall|gym|zoo|museum|farm|station|library].

    {A} keeps a careful record of everything.

    {A} and {A.his} family moved to a new [house|apartment|city|town|neighborhood|country] last year.

    Since it is [raining|snowing|the weekend|very hot|a holiday|{A.s} birthday], {A} stays [at
    home|inside].

    Because of [the rain|the snow|a storm|the heat|a holiday|traffic], {A} has a lot of free time.

    Before [breakfast|lunch|dinner|school|work|bed], {A} always makes a plan.

    After [breakfast|lunch|dinner|school|work|practice], {A} sits down to count.

    During [the summer|the break|recess|the weekend|lunch|the afternoon|winter], {A} likes to be busy.

    While other people are [playing|sleeping|away|shopping|watching a movie|riding bikes], {A} gets some
    work done.

    {A.s} [favorite|least favorite] [color|animal|food|number|sport|song|movie|subject] is well known.

    {A} is known for being [kind|fast|slow|smart|funny|strong|neat|on time].

    {A} looks at the [clock|calendar|map|price tag|menu|list|scoreboard|recipe|sky|stars].

    Everyone at the {place} knows {A}.

    There is a big [sale|contest|race|fair|meeting|parade|storm|concert|competition] in town this week.

    {A} told {A.his} friends about it [on the phone|by email|in a letter|at lunch|online].

    {A} is [currently|still|now|again] [at the {place}|in {town}|on vacation|on a diet|in training|on
    the road].

    {A} takes good care of {A.his} [pets|plants|garden|car|bike|house|tools|toys|animals|younger
    brother].

    {A} is cleaning out [the garage|the attic|the closet|a drawer|the basement|the fridge|{A.his}
    room|{A.his} desk].

    {A} has [different|several|many|a few] [hobbies|friends|jobs|plans|pets|cousins|ideas].

    {A} asked {A.his} [teacher|coach|boss|manager|neighbor|grandfather|friend] for advice.

    {A} and {A.his} friends are having fun together at the {place}.

    The [teacher|coach|manager|principal|owner|captain|doctor|librarian] asked {A} to count
    [everything|carefully|again].

    {A} never [wastes|forgets|loses|breaks] anything.

    {A} could not wait for [{day}|{month}|the weekend|the
    holidays|Christmas|Halloween|Easter|Thanksgiving].

    {A} spends most of {A.his} free time [outside|alone|at the gym|in the kitchen|online|with
    friends|reading|on the computer].

    {A} is able to [turn|add|move|lift|carry] things quickly with {A.his} own hands.

    {A} has a [tall|heavy|giant|bright|miniature|handmade|wooden|plastic]
    [shelf|box|cabinet|bookcase|machine|display] in the [living room|bedroom|front yard].

    {A} wants to find out where all the
    [sweets|vegetables|fruits|groceries|decorations|matches|supplies|presents|clothes] go.

    No one [but|except] {A} knows the final number, so those who ask have to calculate it.

    {A.s} [wife|husband|daughter|son|mother|grandmother] thinks that is [too much|not enough|about
    right|very good|expensive].

    {A} [could|would|should|must|may|might|can] [start|stop|rest|leave|return|eat|sleep] at any time.

    Either {A} or a friend will check the result in the end.

    {A} used to live on an island near the ocean, where the water is deep.

    {A} found a name for every [kangaroo|alligator|shark|elephant|frog|poodle|snake|toad|mouse|tiger] at
    the zoo.

    On a trip to [New York|San Francisco|Los Angeles|the North Pole|Germany|the moon|India|Brazil], {A}
    started to keep a journal.

    {A} read an article about [space|the earth|the stars|trains|sharks|the population of the
    city|farming|healthy meals].

    Unlike most people, {A} prefers [biscuits|fries|butter|tea|cereal|pizza|noodles|peas] and eats them
    daily.

    As a child, {A} was afraid of [spiders|snakes|the dark|deep
    water|dogs|heights|clowns|storms|flying].

    {A} is looking at a [map|chart|table|picture|graph|catalog] while sitting in the
    [sun|shade|car|kitchen|yard].

    At the end of the [session|season|year|month|semester|tour|contest], {A} looks back at what was
    [done|left|finished|lost].

    However, {A} is not sure yet, so let us help.

    {A} is older and taller than most [kids|children|students|players|graders] in the class.

    {A} bought a new [bed|car|collar for the dog|carpet|sofa|lamp|notebook|pair of jeans] online because
    the old one was [broken|lost|too small].

    {A} makes [delicious|fresh|sweet|frozen|spicy|healthy] [soup|snacks|meals|drinks|pies|bread|juice]
    for [customers|visitors|guests|the neighbors].

    Finally, the [snow|rain|ice|fog] is gone and {A} can go [out|for a
    walk|fishing|riding|running|swimming|shopping] again.

    {A} likes [writing|baking|eating|growing|picking|cleaning|driving|watching|making|building|fixing]
    things.

    {A} was told to [add|keep|bring|hold|place|remove|replace|set] everything in the
    [middle|back|front|corner] of the room.

    Although it is [early|late|far away|raining|crowded], {A} comes to the
    [market|station|harbor|office|field|stadium] first.

    {A} works [hard|fast|slowly|alone|all night|part time|from home] to reach {A.his}
    [goals|limit|dream|target].

    When {A} counts, nobody may [talk|interrupt|leave|play|make noise].

    {A} is [eating|making|sharing|enjoying] a [peanut butter sandwich|piece of toast|bowl of
    cereal|large meal] while thinking.

    {A} learned to do this [a year|a month|a week|a long time] ago in a different city.

    The size of the [house|room|garden|yard|crowd] surprised {A}, who had expected something
    [smaller|bigger].

    {A} is taking a [class|walk|break|test|trip|course] in the middle of [May|June|March|fall].

    Assuming that all goes well, {A} will complete the work [by hand|on time|before long|without any
    problems].

    {A} wrote the current plan on a piece of paper and put it on the ground next to the original one.

    {A} hopes to increase the [number|amount|score|income|size|speed] [over time|a little|step by step].
    """.strip().split("\n\n")
)


def opener(rng: random.Random, template: str) -> str:
    """Return a sentence template to put before `template`, or "" most of the time."""
    if rng.random() >= SHARE or not ("{A}" in template or "{A.s}" in template):
        return ""
    return rng.choice(_OPENERS) + " "

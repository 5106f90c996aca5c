"""Longer tales of sums and differences, with a setting, side remarks and questions in less usual words."""

from replication.testbed.lexicon import EVENTS, MONTHS, PLACES, SUBJECTS, WEEKDAYS
from replication.testbed.story_parts import Scenario, frames

_WORDS = {
    "event": EVENTS,
    "place": PLACES,
    "subject": SUBJECTS,
    "day": WEEKDAYS[:3],
    "day2": WEEKDAYS[3:],
    "month": MONTHS[:6],
    "month2": MONTHS[6:],
}
_TALES = (
    frames(
        "x-y, r1-z",
        """[{A} loves to read in {A.his} free time.|{A} borrowed a new book from the library.] The book has
        {x#page}. {A.he} <reads/read> {y#page} before dinner and another {z} before going to sleep. How many
        pages does {A.he} still have to read to finish the book?

        {A} is training for a race. {A.his} coach told {A.him} to run {x#mile} this week. {A.he} has
        already run {y#mile} around the track and {z#mile} through the park. Calculate the distance left:
        how many miles is it?

        {A} had to make {x#sandwich} for the {event}. {A.he} finished {y} in the kitchen at home, and a
        friend helped with another {z}. How many sandwiches are still needed?

        {A} parked near the {place}, where there is space for {x#car}. When {A.he} arrived, {y} spaces
        were taken. By noon, {z} more cars had parked there. How many spaces are available now?

        {A} is allowed {x#minute} of screen time each day. Today {A.he} spent {y#minute} watching videos
        and {z#minute} playing a game. How many minutes does {A.he} have left?

        A local baker prepared {x#roll} for the weekend. On Saturday, customers bought {y} of them. On
        Sunday, {z} more were sold. How many rolls did the baker have at the end of the weekend?

        At the start of the year, the school had {x#laptop} available. During the first month {y} of them
        broke, and {z} were given to another school. How many laptops remained?

        {A} has saved {x$}. After work {A.he} buys groceries for {y$} and pays {z$} for gas. How much of
        {A.his} money is left?

        An airplane had {x#seat}. {y} seats were sold online and {z} at the airport. How many seats stayed
        empty?

        {A} baked {x#cookie} while {A.his} children were at school. When they came home, they ate {y} of
        them right away. After dinner, the family ate {z} more. How many cookies did {A} put back into the
        jar?""",
        x=(30, 300),
        y=(3, 90),
        z=(3, 90),
        **_WORDS,
    ),
    frames(
        "x+y, r1+z",
        """On a long trip, {A} drove {x#mile} before lunch. After a break {A.he} continued for {y#mile}, and
        in the evening {A.he} drove the final {z#mile}. What was the total distance of the trip in miles?

        {A} decided to clean the whole house. It took {A.him} {x#minute} to sweep the floor, {y#minute} to
        wash the windows and {z#minute} to do the laundry. How much time did it take altogether, in
        minutes?

        To bake a cake, {A} uses {x#ounce} of flour, {y#ounce} of sugar and {z#ounce} of butter. How many
        ounces is that in total?

        During the summer vacation, {A} watched {x#movie} in {month}. {A.he} watched {y} in the next month
        and {z} in the last one. How many movies did {A} watch during the vacation?

        {A} keeps three kinds of pets. {A.he} has {x#fish} in a tank, {y#bird} in a large cage and
        {z#rabbit} in the yard. How many pets does {A} take care of?

        {A} went shopping for new clothes. A jacket cost {x$}, a pair of jeans cost {y$} and a hat cost
        {z$}. How much money did {A.he} spend on clothes?

        {A} wrote down how long {A.he} practiced the piano: {x#minute} on {day}, {y#minute} on {day2} and
        {z#minute} on the weekend. What's the total number of minutes?

        In a garden, {x#tulip} are red, {y} are yellow and {z} are white. How many tulips are growing in
        the garden?""",
        x=(3, 120),
        y=(3, 90),
        z=(3, 90),
        **_WORDS,
    ),
    frames(
        "x+y, z-r1",
        """{A} wants to buy a new bike that costs {z$}. {A.he} has already saved {x$}, and {A.his} parents
        will give {A.him} {y$}. How much more money does {A.he} have to save?

        Two friends are trying to collect {z} cans for the {event}. So far, one has collected {x} and the
        other has collected {y}. How many more cans do they need to reach their goal?

        {A} is filling a pool that can hold {z#gallon}. {A.he} poured in {x#gallon} yesterday and
        {y#gallon} today. How many more gallons are needed to fill it?

        A truck can carry at most {z#pound}. The driver has loaded {x#pound} of bricks and {y#pound} of
        wood. How many more pounds can the truck carry?

        The principal ordered {z#pizza} for the whole school. The younger students ate {x} and the older
        students ate {y}. How many pizzas were not eaten?

        {A} has to finish a {subject} project in {z#hour}. {A.he} spent {x#hour} on research and {y#hour}
        on writing. How many hours does {A.he} have left to make the poster?

        There are {z#student} in the {subject} club. {x} of them are in the first year, {y} are in the
        second year, and everyone else is in the third year. How many are in the third year?""",
        x=(3, 60),
        y=(3, 60),
        z=(20, 300),
        **_WORDS,
    ),
    frames(
        "x+y, r1+x",
        """{A} spent {x#hour} working on {day}. The next day {A.he} had to work {y} hours longer. How many
        hours did {A} work on both days?

        One side of the street has {x#house}. The other side has {y#more house}. How many houses are on
        the street?

        A cup of tea costs {x$} at the cafe. A piece of cake is {y$} more expensive. How much does {A} pay
        for both?

        {A} caught {x#fish} in the lake, while {A.his} father caught {y} more than {A.he} did. How many
        fish did they catch together?""",
        x=(2, 60),
        y=(2, 40),
        **_WORDS,
    ),
    frames(
        "x-y, r1+z",
        """When the store opened, it had {x#box} of cereal on the shelf. By noon, customers had purchased {y}
        of them, so a worker brought {z} more boxes. How many boxes of cereal are on the shelf?

        {A} had {x#text message} on {A.his} phone. {A.he} deleted {y} of them and then received {z} new
        ones. How many messages are on the phone?

        A library owned {x#book} about {subject}. Since {month}, {y} have been lost, but {z} have been
        added. How many books about {subject} does the library own now?

        A tank was full with {x#liter} of water. It lost {y#liter} because of a hole. After the repair,
        {A} added {z#liter}. How many liters of water does it contain now?

        {x#fan} were watching the game. At half time {y} of them went home, while {z} others arrived late.
        How many fans watched the end of the game?""",
        x=(30, 300),
        y=(3, 90),
        z=(3, 90),
        **_WORDS,
    ),
)
_ONE = (
    frames(
        "x-y",
        """{A} is {x} centimeters tall. {B} is {y} centimeters shorter. What is {B.s} height in centimeters?

        The original price was {x$}, but {A} paid only {y$}. How much money did {A.he} save?

        {A} knows {x#song} by heart. {A.he} has practiced {y} of them today. How many songs are left to
        practice?

        A pair of shoes weighs {x#ounce}. One of them weighs {y#ounce}. What is the weight of the other
        shoe?

        {A} began with a full bottle of {x#ounce}. After drinking some water, there were {y#ounce} left.
        How much did {A.he} drink?

        It took {A} {x#second} to finish the race. {B} needed {y#second} less. In how many seconds did {B}
        finish?""",
        x=(20, 200),
        y=(3, 150),
        **_WORDS,
    ),
    frames(
        "x+y",
        """{A} ate breakfast for {x#minute}, then walked to school for {y#minute}. How many minutes passed in
        total?

        {A} needs {x#cup} of milk for a recipe and {y#cup} for another one. How many cups of milk does
        {A.he} need for both recipes?

        The first class has {x#student} and the second class has {y}. If both classes go on the trip, how
        many students will go?

        {A} was {x} years old when {A.his} daughter was born. The daughter is {y} years old today. How old
        is {A}?

        It costs {x$} to enter the {place} and {y$} to park. How much does {A} pay for the visit?""",
        x=(2, 60),
        y=(2, 60),
        **_WORDS,
    ),
)
SCENARIOS: tuple[Scenario, ...] = sum(_TALES + _ONE, ())

"""Word problems set in one scene each: a race, a hotel, a recipe, a cookout, a train, a phone, a snail."""

from replication.testbed.story_frames import tale
from replication.testbed.story_parts import Scenario

SCENES: tuple[Scenario, ...] = (
    tale(
        "k:2-9 a:2-12 > t=k*a s=t+a",
        """During the [summer|winter|holidays|spring], {A} spent {a} hours playing [video games|basketball|the
        drums]. {B} spent {k*} as much time. What is the total amount of time they spent playing, in hours?

        [A local|The local|A nearby|The neighborhood] [bakery|library|animal shelter|theater|clinic] had {a}
        visitors in the morning. In the afternoon the number was {k*} as high. How many visitors came during
        the entire day?

        There are {a} male and {k*} as many female {member} in the
        [choir|company|competition|band|class|club]. [Can you calculate the total number of {member}|What is
        the total number of {member}]?

        A [hotel|apartment building|school|hospital] has {a} rooms on the first floor and {k*} as many on the
        second. How many rooms are there on both floors?""",
        member=("singers", "students", "members", "workers", "athletes"),
        about="they",
        counts="",
    ),
    tale(
        "k:2-9 a:2-15 c:2-30 > t=k*a s=t+c",
        """A recipe [for a cake|for a large pie|for soup|for bread] takes {a} minutes to mix per batch and {c}
        minutes to bake the whole thing. If {A} mixes {k} batches, how many minutes does the entire recipe
        take?

        A [hotel|motel|cottage] charges {a$} per night plus a fee of {c$}. How much will {A} pay for {k}
        nights?

        {A} is grounded for {c} days plus {a} days for each bad grade. If {A.he} got {k} bad grades, how long
        is {A.he} grounded, in days?

        To [get|win] a prize, {A} must finish {k} levels with {a} points each and also earn {c} bonus points.
        How many points does {A~} need?

        A gym membership costs {a$} a month with a fee of {c$} to join. What will {A} pay for {k} months?

        {A} does laundry. Each of the {k} loads takes {a} minutes to fold, and the washing takes {c} minutes
        in all. How many minutes does {A~} spend on laundry?

        Each apartment has {a} windows, and the lobby has {c} more. If there are {k} apartments in the
        building, how many windows are there?""",
        counts="",
        roles=False,
    ),
    tale(
        "k:2-9 a:2-15 c:2-60 > t=k*a s=t-c",
        """A truck has a capacity of {k} crates with {a#n} each. {A} decides to leave {c#n} out. How many {n}
        are on the truck?

        {A} earned {k} [stickers|stars|tokens] a day for {a} days but had to give {c} back for being late. How
        many did {A~} end up with?

        A phone plan includes {k} gigabytes a week. {A} has used {c} gigabytes in {a} weeks. How many
        gigabytes are still available from these {a} weeks?

        {A} needs {k} credits for each of {a} semesters. {A.he} has completed {c} credits. How many more
        credits are required?

        There are {k} floors with {a} [apartments|rooms|offices] each. If {c} are currently
        [occupied|rented|full], how many are available?

        A bakery made {k} batches of {a} [cupcakes|doughnuts|muffins|pies|rolls] and sold {c} by noon. How
        many remained?""",
        n="fruit|vegetables|household",
        counts="",
        weight=1.2,
    ),
    tale(
        "k:2-9 a:2-15 c:2-60 t=k*a s=t+c > x=s-c y=x/a",
        """{A} has a budget of {s$} for the {event}. The [room|service|music|hall] costs {c$} and each guest
        costs {a$}. How many guests can come?

        The cost to rent a bus is {c$} and a ticket is {a$} per student. If the class has {s$}, how many
        students can go on the trip?

        A jar holds {s} [jellybeans|marbles|coins|buttons]. {A} takes {c} out and divides the remaining ones
        into bags of {a}. How many bags are there?

        {A} wants to lose {s} pounds before the race. {A.he} has already lost {c} pounds. At {a} pounds a
        month, how many more months does {A~} need?

        {A} has driven {c} miles of a {s}-mile trip. If the remaining part is driven at {a} miles per hour,
        how many hours are left?

        A tank can hold {s} liters. It already contains {c} liters. If a pipe adds {a} liters every minute,
        how many minutes does it take to fill it?

        A pool is filled at a rate of {a} gallons per minute. It has {c} gallons now and its capacity is {s}
        gallons. How long will it take, in minutes?

        {A} is {c} centimeters tall now and wants to reach {s}. If {A.he} grows {a} centimeters per year, how
        many years does it take?""",
        counts="",
        weight=1.5,
    ),
    tale(
        "k:2-9 a:2-15 c:2-60 t=k*a s=t+c > x=s-c y=x/k",
        """{A} scored {s} points in [all|the entire season]. {c} came from free throws and the rest came
        equally from {k} games. How many points was that per game?

        A [rope|log|board|pole] is {s} feet long. {A} cuts off {c} feet and saws the rest into {k} equal
        parts. How long is each part, in feet?

        The total weight of {k} identical boxes and a bag is {s} kg. If the bag weighs {c} kg, how many kg
        does one box weigh?

        A train with {s} passengers stopped and {c} of them got off. The others were divided equally among {k}
        cars. How many passengers were in each car?

        It took {A} {s} minutes to get home, including {c} minutes at a store. The rest of the time was {k}
        equal parts. How long was each part?""",
        about="each",
        counts="",
        weight=1.2,
    ),
    tale(
        "k:2-9 a:2-15 b:2-15 > s=a+b t=k*s",
        """A [marathon|race|bike tour|walk] has two parts, one of {a} miles and one of {b} miles. {A} does it
        {k} times. How many miles is that in all?

        Every [morning|night|Saturday], {A} spends {a} minutes [brushing {A.his} teeth|on {A.his} hair|feeding
        the cat] and {b} minutes getting dressed. How many minutes is that in {k} days?

        At a cookout, each guest eats {a} pieces of [chicken|meat|fried fish] and {b} pieces of corn. How many
        pieces of food are needed for {k} guests?

        Each gift bag contains {a} pens and {b} erasers. How many objects are in {k} bags?

        A cat has {a} whiskers on the left side and {b} on the right side. How many whiskers do {k} such cats
        have?

        {A} makes a smoothie with {a} ounces of milk and {b} ounces of juice. How many ounces does {A~} need
        for {k} smoothies?

        It costs {a$} for the ticket and {b$} for popcorn. How much will {k} friends pay for a movie night?

        {A} runs up a hill in {a} seconds and down in {b} seconds. If {A.he} does that {k} times, how many
        seconds does it take?

        A school needs {a} desks and {b} chairs for each room. How many pieces of furniture are needed for {k}
        rooms?

        Each player gets {a} [red|green|black] and {b} [blue|white|yellow] game pieces. How many pieces does a
        game for {k} players have?""",
        counts="",
        weight=2.0,
    ),
    tale(
        "k:2-9 a:2-15 b:2-15 s=a+b t=k*s > u=a+b v=t/u",
        """A [robot|factory|baker] uses {a#n} in the morning and {b} in the evening. How many days will {t#n}
        last?

        A dog eats {a} ounces of food in the morning and {b} ounces at night. How many days does a bag of {t}
        ounces last?

        Each bouquet has {a} roses and {b} lilies. {A} used {t} flowers. How many bouquets did {A~} make?

        Each lunch costs {a$} for a sandwich and {b$} for a drink. How many lunches can {A} buy with {t$}?

        It takes {a} minutes to wash a car and {b} minutes to dry it. How many cars can {A} do in {t} minutes?

        A family uses {a} gallons of water for the kitchen and {b} for the bath each day. For how many days
        are {t} gallons enough?""",
        n="fruit|vegetables|baked",
        counts="",
        weight=1.5,
    ),
    tale(
        "a:5-60 b:2-30 b<a k:2-12 > s=a-b t=k*s",
        """{A} {verb} {a$} a day and spends {b$} of it. How much money will {A~} have after {k} days?

        A snail climbs {a} inches up a pole every day and slips {b} inches back every night. How high is it
        after {k} days and nights, in inches?

        {A} buys {item} for {b$} each and sells them for {a$} each. How much profit does {A~} make on {k} of
        them?

        A bus can carry {a} people, but {b} seats are broken. How many people can {k} such buses carry?

        Every hour, {a} people enter the museum and {b} leave. How many people are in the museum after {k}
        hours?

        A tank gets {a} liters every minute but loses {b} liters through a leak. How many liters are in it
        after {k} minutes?

        There are {a} students in each class, and {b} of them in every class are absent. If there are {k}
        classes, how many students are present?

        {A} plants {a} seeds in each pot, but {b} in every pot do not grow. How many plants come up in {k}
        pots?""",
        verb=("earns", "makes", "gets"),
        item=("bikes", "lamps", "old books", "phones", "baskets", "comics"),
        counts="",
        weight=1.8,
    ),
    tale(
        "a:5-60 b:2-30 b<a c=a-b k:2-12 t=c*k > s=a-b u=t/s",
        """{A} makes {a$} a day and spends {b$} of it. How many days does {A~} need to save {t$}?

        A tree is covered with {t} feet of ivy. {A} strips {a} feet each day, but {b} feet grow back every
        night. How many days does it take?

        A tank with {t} liters of oil loses {a} liters an hour while {b} liters an hour are added. After how
        many hours is it empty?

        {A} buys flowers for {b$} each and sells them for {a$} each. How many must {A~} sell to make a profit
        of {t$}?""",
        counts="days",
        weight=0.8,
    ),
    tale(
        "a:2-12 b:2-9 c:2-9 > s=a*b t=s*c",
        """{A} walks {a} dogs [a|each] day for {b} minutes each. How many minutes is that in {c} days?

        A school has {a} classes in each of its {b} buildings. Every class has {c} [new
        computers|maps|plants|shelves]. How many is that in all?

        A [tray|box|crate] has {a} rows of {b} [eggs|cupcakes|oysters|cans|bottles]. How many are in {c} of
        them?

        There are {a} teams in the tournament. Each team has {b} players and every player gets {c}
        [towels|shirts|snacks|bottles]. How many is that?

        {A} takes {a} pills {b} times a day. How many pills is that in {c} days?

        A [singer|band|pianist] gives {a} concerts a week with {b} songs each. How many songs is that in {c}
        weeks?

        A pool is {a} feet long, {b} feet wide and {c} feet deep. What is its volume in cubic feet?

        {A} watches {a} episodes of a series per night. Each is {b} minutes long. How many minutes does {A~}
        watch in {c} nights?

        {a} friends go bowling. Each plays {b} rounds, and a round costs {c$}. How much do they pay in
        all?""",
        counts="",
        weight=2.0,
    ),
    tale(
        "a:2-12 b:2-9 c:2-9 s=a*b t=s*c > u=a*b v=t/u",
        """{A} eats {a} [nuts|grapes|crackers|berries] {b} times a day. How many days will a bag of {t} last?

        A bus has {a} rows with {b} seats each. How many buses are needed for {t}
        [students|passengers|fans|soldiers]?

        Each page of an album holds {a} rows of {b} [photos|stamps|cards]. How many pages does {A} need for
        {t} of them?

        {A} works {a} hours a day, {b} days a week. After how many weeks has {A~} worked {t} hours?

        A class of {a} students needs {b} sheets each per day. How many days does a stack of {t} sheets
        last?""",
        counts="",
        weight=1.2,
    ),
    tale(
        "a:2-12 b:2-9 c:2-12 d=c*a t=d*b > u=t/a v=u/b",
        """{A} has to earn {t} credits in {a} semesters. Each class gives {b} credits. How many classes per
        semester is that?

        {t} [cans|bottles|cookies|toys] are shared equally by {a} families with {b} children each. How many
        does each child get?

        A farmer sells {t} pounds of [potatoes|corn|peaches] to {a} stores. Each store puts them in bags of
        {b} pounds. How many bags does each store have?

        {A} ran {t} miles in {a} weeks, training {b} days each week. How many miles was that per day?""",
        about="each",
        counts="",
        weight=1.0,
    ),
    tale(
        "a:4-60 b:2-20 c:2-20 > s=a+b t=s+c",
        """A train starts with {a} passengers. At the first stop {b} get on and at the second stop {c} more
        get on. How many passengers are on the train?

        {A} had {a} emails before lunch, {b} during lunch and {c} after work. How many emails did {A~} receive
        that day?

        {A} drove {a} miles to the store, {b} miles to the bank and {c} miles back home. How long was the
        route in miles?""",
        counts="",
        weight=0.4,
    ),
    tale(
        "k:2,3,4,5,10 b:2-20 a=k*b > s=k-1 t=s*b",
        """If each of {k} [friends|runners|teams] gets {b} points and one of them loses everything, how many
        points are left in all?

        {k} boxes weigh {b} kg each. One box is taken away. How many kg are left?

        {A} had {k} packs with {b#n} each and lost one whole pack. How many {n} are left?""",
        n="collection|school",
        counts="n",
        weight=0.4,
    ),
    tale(
        "m:20-90/5 e:2-12 c:2-8 > t=e*c s=m-t",
        """A [lesson|class|game|meeting] is {m} minutes long. There are {c} breaks of {e} minutes each. How
        many minutes are left without the breaks?

        {A} has {m} minutes before the bus comes. {A.he} spends {e} minutes on each of {c}
        [chores|emails|puzzles|calls]. How much time is left, in minutes?

        A phone has {m} percent of its battery. It drops {e} percent every hour. What percentage is left after
        {c} hours?

        A frog is {m} feet from the pond and jumps {e} feet at a time. How far from the pond is it after {c}
        jumps?""",
        counts="",
        weight=1.2,
    ),
    tale(
        "a:5-40 b:2-15 c:2-15 b<a k:2-4 > s=a-b t=k*s",
        """{A} is {a} years old, and {B} is {b} years younger. {C} is {k*} as old as {B}. How old is {C}?

        A [board|ribbon|rope] is {a} inches long. {A} cuts off {b} inches. {B} has {k} such pieces. How many
        inches is that together?

        A [blue|red|wooden] pole is {a} feet high, a metal pole is {b} feet shorter, and a flagpole is {k*} as
        high as the metal pole. What is the height of the flagpole?

        {A} weighs {a} kg. {B} weighs {b} kg less, and {C} weighs {k*} as much as {B}. What is the weight of
        {C} in kg?""",
        about="C",
        counts="",
        roles=False,
        weight=0.8,
    ),
    tale(
        "a:5-40 b:2-15 k:2-4 > s=a+b t=k*s u=t+s v=u+a",
        """{A} is {a} years old, {B} is {b} years older than {A}, and {C} is {k*} as old as {B}. What is the
        sum of their ages?

        On {day}, {a} inches of snow fell. On {day2} there were {b} inches more than on {day}, and on {day3}
        there was {k*} as much as on {day2}. How much snow fell in all, in inches?

        {A} did {a} push-ups. {B} did {b} more than {A}, and {C} did {k*} as many as {B}. How many push-ups
        did they do altogether?""",
        about="they",
        counts="",
        roles=False,
        weight=1.0,
    ),
    tale(
        "w:5-20 h:2-9 k:2,3 c:2-6 > t=w*h x=w*k y=x*c z=t+y",
        """{A} earns {w$} an hour. For extra hours {A.he} gets {k*} as much. Last week {A.he} worked {h}
        normal hours and {c} extra hours. How much did {A~} earn in all?

        A ticket for a child costs {w$}, and a ticket for an adult costs {k*} as much. How much do {h}
        children and {c} adults pay together?

        {A} sells small {n} for {w$} each and large ones for {k*} as much. {A.he} sold {h} small ones and {c}
        large ones. How much money did {A~} make?""",
        n="crafts|toys",
        counts="dollars",
        weight=1.2,
    ),
    tale(
        "k:2-6 a:2-12 b:2-12 c:2-9 d:2-9 > s=a*b t=c*d u=s+t v=u*k",
        """Each day a shop sells {a} [cakes|lamps|shirts|bikes] for {b$} each and {c}
        [pies|books|hats|helmets] for {d$} each. How much does it take in during {k} days?

        {A} runs {a} laps of {b} meters and swims {c} laps of {d} meters in every practice. How many meters is
        that in {k} practices?

        A page has {a} rows of {b} red squares and {c} rows of {d} blue squares. How many squares are on {k}
        such pages?""",
        counts="",
        weight=1.0,
    ),
    tale(
        "a:2-12 b:2-12 c:2-9 d:2-9 e:2-9 f:2-9 > s=a*b t=c*d u=e*f v=s+t w=v+u",
        """{A} bought {a#n} for {b$} each, {c#m} for {d$} each and {e#o} for {f$} each. How much did {A~}
        spend in all?

        {A} has {a} bags of {b#n}, {c} boxes of {d#n} and {e} jars of {f#n}. How many {n} does {A~} have?

        On {day} {A} worked {a} hours at {b$} an hour, on {day2} {c} hours at {d$} and on {day3} {e} hours at
        {f$}. How much did {A~} earn altogether?""",
        n="school",
        m="toys",
        o="sweets",
        counts="dollars",
        weight=1.5,
    ),
)

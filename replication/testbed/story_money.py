"""Word problems about money: wages, prices, change, savings, discounts, sharing a cost, profit, coins."""

from replication.testbed.story_frames import tale
from replication.testbed.story_parts import Scenario

EARNING = (
    tale(
        "w:5-30 h:2-12 > t=w*h",
        """{A} <earns/earned> {w$} [an hour|per hour|for each hour] [at {A.his} job|as a {job}|]. How much
        [money|] <does/did> {A~} [earn|make] [in|for] {h} hours [of work|]?

        {A} works as a {job} and makes {w$} per hour. [Yesterday|On {day}|Last week] {A.he} worked {h}
        hours. How much [money|] did {A~} [earn|make]?

        {A} gets paid {w$} [every|each|a] day. How much [money|] does {A~} [make|earn|get] in {h} days?

        A [plumber|painter|mechanic|tutor|gardener|photographer|lawyer|piano teacher] <charges/charged>
        {w$} per hour. How much <does/did> {A} pay for {h} hours of work?

        {A} <babysits/babysat> for {h} hours [on {day}|]. {A.he} <gets/got> {w$} per hour. How [much
        money|many dollars] <does/did> {A~} earn?

        {A} <saves/saved> {w$} [every|each|a|per] week. How much [money|] <does/did> {A~} [save|have]
        [after|in] {h} weeks?

        {A} <gets/got> an allowance of {w$} [a|every|each|per] week. How many dollars <does/did> {A~} get
        in {h} weeks?

        {A} <spends/spent> {w$} on {meal} [every|each] day. How much <does/did> {A~} spend in {h} days?""",
        counts="dollars",
        roles=False,
        weight=2.0,
    ),
    tale(
        "w:5-30 h:2-9 d:2-7 > t=w*h u=t*d",
        """{A} <works/worked> {h} hours [a|each|every|per] day for {d} days. {A.he} <earns/earned> {w$}
        [an|per] hour. How much [money|] <does/did> {A~} [make|earn] [in all|in total|altogether|]?

        {A} <makes/made> {w$} an hour [as a {job}|]. {A.he} <works/worked> {h} hours a day, {d} days a
        week. How much <does/did> {A~} [earn|make] [each|a|per|in one] week?

        {A} <rents/rented> a [car|boat|helicopter|tent|bike|hall] for {h} hours a day for {d} days. It
        <costs/cost> {w$} an hour. How much <does/did> {A~} pay?

        {A} <charges/charged> {w$} per lesson. {A.he} <gives/gave> {h} lessons a day. How much <does/did>
        {A~} earn in {d} days?""",
        counts="dollars",
        roles=False,
        weight=1.2,
    ),
    tale(
        "w:5-25 h:2-12 c:5-80 > t=w*h u=t-c",
        """{A} <works/worked> {h} hours at {w$} [an|per] hour. {A.he} <spends/spent> {c$} [on {meal}|at the
        {shop}|on a {thing}]. How much money <does/did> {A~} have left?

        {A} <earns/earned> {w$} for each [lawn {A.he} <mows/mowed>|car {A.he} <washes/washed>|dog {A.he}
        <walks/walked>]. {A.he} <does/did> {h} of them and then <spends/spent> {c$}. How much [money|]
        <is/was> left?

        {A} <saves/saved> {w$} [a|every|each] week for {h} weeks. Then {A.he} <buys/bought> a {thing} for
        {c$}. How [much money|many dollars] <does/did> {A~} have left?""",
        counts="dollars",
    ),
    tale(
        "w:5-25 h:2-12 c:5-80 > t=w*h u=t+c",
        """{A} <works/worked> {h} hours for {w$} [an|per] hour and [<gets/got> {c$} in
        tips|<receives/received> a bonus of {c$}]. How much <does/did> {A~} [earn|make] [in all|altogether|in
        total]?

        {A} <has/had> {c$} [in the bank|in {A.his} piggy bank|saved up|]. {A.he} <saves/saved> {w$}
        [a|every|each] week for {h} weeks. How much [money|] <does/did> {A~} have [now|in the
        end|then|after that]?

        {A} <sells/sold> {h#n} for {w$} each. {A.he} already <has/had> {c$}. How much money <does/did>
        {A~} have now?

        A [plumber|mechanic|painter|taxi driver|repairman] charges {c$} plus {w$} per hour. How much does
        {A} pay for {h} hours?""",
        n="fruit|vegetables|toys|crafts|sweets",
        counts="dollars",
    ),
    tale(
        "w:2-25 h:2-14 t=w*h > r=t/w",
        """{A} <earns/earned> {w$} [an|per] hour. How many hours [<does/did> {A~} need to work|must {A~} work]
        to [earn|make] {t$}?

        {A} saves {w$} [every|each|a|per] week. How many weeks [will it take|does it take] [{A.him}|] to
        save {t$}?

        {A} <wants/wanted> to buy a {thing} that <costs/cost> {t$}. [If|Suppose] {A.he} <saves/saved> {w$}
        [a|each|every] month, how many months <does/did> {A~} need?

        {A} made {t$} [from work|as a {job}|]. {A.he} was paid {w$} per hour. How many hours did {A~}
        work?""",
        counts="hours",
        roles=False,
        weight=1.5,
    ),
    tale(
        "w:2-25 h:2-14 t=w*h > r=t/h",
        """{A} <makes/made> {t$} in {h} hours. How much [money|] <does/did> {A~} make [per|each|an] hour?

        {A} <earns/earned> {t$} for {h} days of work. How much [is|was] {A.he} paid [per|each] day?

        {A} needs to save {t$} in {h} weeks. How much [must|should] {A~} save [each|per|every] week?

        {A} <pays/paid> {t$} for {h} months at the gym. How much <is/was> that [per|each|a] month?""",
        counts="dollars",
        weight=1.3,
    ),
    tale(
        "w:5-25 h:2-12 u=w*h c:5-60 t=u+c > r=t-c s=r/w",
        """{A} <wants/wanted> to buy a {thing} [for|that <costs/cost>] {t$}. {A.he} already <has/had> {c$}. If
        {A.he} <saves/saved> {w$} [a|each|every|per] week, how many weeks <does/did> {A~} need [to save|]?

        {A} <has/had> {c$} and <needs/needed> {t$} for a {thing}. {A.he} <earns/earned> {w$} per hour. How
        many hours <does/did> {A~} have to work?

        A {thing} costs {t$}. {A.s} {relative} gives {A.him} {c$}. {A} earns {w$} [for each lawn {A.he}
        mows|for every dog {A.he} walks| for every car {A.he} washes]. How many must {A.he} do to [buy
        it|get the rest]?""",
        counts="weeks",
        weight=1.5,
    ),
    tale(
        "w:5-25 h:2-12 u=w*h c:5-60 t=u+c > r=t-c s=r/h",
        """{A} <needs/needed> {t$} for a {thing}. {A.he} <has/had> {c$} and {h} weeks to save the rest. How
        much <does/did> {A~} need to save [each|per|a] week?

        {A} <pays/paid> {c$} down for a {thing} that <costs/cost> {t$} and <pays/paid> the rest in {h}
        equal [monthly|weekly] payments. How much <is/was> each payment?

        {A} <earns/earned> {t$} in all, with {c$} of it in tips. If {A.he} <works/worked> {h} hours, what
        <is/was> {A.his} pay per hour without the tips?""",
        counts="dollars",
    ),
    tale(
        "p:3-20 a:2-9 b:2-9 > s=a+b t=p*s",
        """{A} <works/worked> {a} hours on {day} and {b} hours on {day2}. {A.he} <earns/earned> {p$} [an|per]
        hour. How much <does/did> {A~} [earn|make] [in all|altogether|in total|]?

        {A} <sells/sold> {a#n} [in the morning|on {day}|yesterday] and {b} [in the afternoon|the next
        day|today]. Each {n.one} <costs/cost> {p$}. How much [money|] <does/did> {A~} make?

        {A} <buys/bought> {a} {color} {n} and {b} {color2} {n}. If each one <costs/cost> {p$}, how much
        <does/did> {A~} [spend|pay] [in all|]?

        {A} mowed {a} lawns [in the spring|last week|on {day}] and {b} lawns [in the summer|this week|on
        {day2}]. If {A.he} got {p$} for each lawn, how [much money|many dollars] did {A~} [earn|make]?""",
        n="crafts|toys|clothes|household",
        counts="dollars",
        weight=1.2,
    ),
    tale(
        "p:3-20 a:3-20 b:2-9 b<a > s=a-b t=s*p",
        """{A} <has/had> {a#n}. {A.he} <keeps/kept> {b} of them and <sells/sold> the [rest|others] for {p$}
        each. How much [money|] <does/did> {A~} [make|earn|get]?

        {A} <makes/made> {a#n} [for the {event}|]. {A.he} <gives/gave> away {b} and <sells/sold> the rest
        for {p$} each. How many dollars <does/did> {A~} earn?

        {A} <has/had> {a#n} to sell. At the end of the day, {b} <are/were> left. If {A.he}
        <charges/charged> {p$} for each {n.one}, how much money <does/did> {A~} earn?

        {A} was selling {n} for {p$} each. If {A.he} had {a} of them and sold all but {b}, how much money
        did {A~} earn?

        There were {a} [lawns to mow|cars to wash|dogs to walk|problems in the contest]. {A} earned {p$}
        for each one, but {A.he} forgot {b} of them. How much did {A~} earn?""",
        n="crafts|toys|flowers|sweets|collection",
        counts="dollars",
        weight=1.5,
    ),
)

BUYING = (
    tale(
        "p:2-30 c:2-14 > t=p*c",
        """{A} <buys/bought> {c#n} [at {shop2}|]. Each {n.one} <costs/cost> {p$}. How much [money|] <does/did>
        {A~} [spend|pay] [in all|altogether|in total|]?

        {A} <buys/bought> {c#n} [at {shop2}|] for {p$} each. How much <does/did> {A~} [spend|pay] [in
        all|altogether|in total|]?

        At {shop2}, [one|a] {n.one} costs {p$}. [How much do {c#n} cost?|How much will {A} pay for
        {c#n}?|What is the cost of {c#n}?]

        If each {n.one} costs {p$}, how much do {c#n} cost?

        {A} <sells/sold> {c#n} for {p$} [each|apiece]. How much [money|] <does/did> {A~}
        [earn|make|get|collect]?

        {n} are {p$} each at {shop2}. How many dollars do {c#n} cost?

        What is the total price of {c#n} at {p$} each?""",
        table="goods",
        counts="dollars",
        weight=2.5,
    ),
    tale(
        "p:2-30 c:2-14 t=p*c > r=t/c",
        """{A} <pays/paid> {t$} for {c#n} [at {shop2}|]. [How much <does/did> each {n.one} cost?|What <is/was>
        the price of one {n.one}?| If they all <cost/cost> the same, how much <is/was> each?]

        {c#n} cost {t$} [at {shop2}|]. How much [does|will] one {n.one} cost?

        {A} <spends/spent> {t$} on {c#n}. If each one <costs/cost> the same, how much <is/was> [one|each]
        {n.one}?

        {A} <sells/sold> {c#n} and <makes/made> {t$}. How much <does/did> {A~} charge for each {n.one}?""",
        table="goods",
        counts="dollars",
        weight=1.5,
    ),
    tale(
        "p:2-30 c:2-14 t=p*c > r=t/p",
        """{A} <has/had> {t$}. Each {n.one} <costs/cost> {p$} [at {shop2}|]. How many {n} can {A~} buy?

        A {n.one} costs {p$}. How many {n} can {A} buy [with|for] {t$}?

        {A} <spends/spent> {t$} on {n} [at {shop2}|]. If each {n.one} <costs/cost> {p$}, how many {n}
        <does/did> {A~} buy?

        {A} <sells/sold> {n} for {p$} each. If {A.he} <makes/made> {t$}, how many {n} <does/did> {A~}
        sell?

        How many {n} at {p$} each can {A} buy if {A.he} has {t$}?""",
        table="goods",
        weight=1.5,
    ),
    tale(
        "p:2-15 c:2-9 m:10,20,20,50,50,100,60,80 > t=p*c r=m-t",
        """{A} <buys/bought> {c#n} for {p$} each. {A.he} <pays/paid> with a ${m!} bill. How much change
        <does/did> {A~} [get|receive] [back|]?

        {A} <has/had> {m$}. {A.he} <buys/bought> {c#n} [at {shop2}|]. Each {n.one} <costs/cost> {p$}. How
        much [money|] <does/did> {A~} have left?

        {A} <goes/went> to {shop2} with {m$} [in {A.his} wallet|]. {A.he} <gets/got> {c#n} at {p$} each.
        How many dollars <are/were> left?

        Each {n.one} costs {p$}. If {A} gives the cashier {m$} for {c#n}, how much [change|money] does
        {A.he} get back?

        {A} <has/had> {m$} to spend at {shop2}. After buying {c#n} that <cost/cost> {p$} each, how much
        <is/was> left?""",
        table="goods",
        counts="dollars",
        weight=2.0,
    ),
    tale(
        "p:2-15 c:2-12 m:5-60 t=p*c m<t > s=p*c r=s-m",
        """{A} <wants/wanted> to buy {c#n} for {p$} each. {A.he} only <has/had> {m$}. How much more [money|]
        <does/did> {A~} need?

        Each {n.one} costs {p$}. {A} has {m$}. How many more dollars does {A~} need to buy {c#n}?

        {A} <buys/bought> {c#n} at {p$} each and <uses/used> a coupon for {m$} off. How much <does/did>
        {A~} pay?

        {A} <sells/sold> {c#n} for {p$} each. It <costs/cost> {m$} to make them. [What <is/was> {A.his}
        profit?|How much profit <does/did> {A~} make?]""",
        table="goods",
        counts="dollars",
        weight=1.5,
    ),
    tale(
        "p:2-15 c:2-9 q:2-15 d:2-9 > s=p*c t=q*d u=s+t",
        """{A} <buys/bought> {c#n} for {p$} each and {d#m} for {q$} each. How much [money|] <does/did> {A~}
        spend [in all|altogether| in total|]?

        {A} <buys/bought> {c#n} and {d#m} [at the {shop}|on {day}|for the {event}|]. Each {n.one}
        <costs/cost> {p$} and each {m.one} <costs/cost> {q$}. How much <does/did> {A~} [pay|spend] [in
        all|altogether|in total|]?

        At the {shop}, a {n.one} costs {p$} and a {m.one} costs {q$}. How much do {c#n} and {d#m} cost
        [together|altogether|in total]?

        {A} <sells/sold> {c#n} at {p$} each and {d#m} at {q$} each. How much money <does/did> {A~}
        [make|earn]?""",
        n="shopping",
        m="~n",
        counts="dollars",
        weight=2.0,
    ),
    tale(
        "p:2-40 q:2-40 r:2-40 > s=p+q t=s+r",
        """{A} <buys/bought> a {n.one} for {p$}, a {m.one} for {q$} and a {o.one} for {r$}. How much
        <does/did> {A~} spend [in all|altogether| in total]?

        A {n.one} costs {p$}, a {m.one} costs {q$} and a {o.one} costs {r$}. What is the total cost [of
        all three|]?""",
        n="shopping",
        m="~n",
        o="school",
        counts="dollars",
        weight=0.6,
    ),
    tale(
        "p:2-15 c:2-9 q:2-40 > t=p*c s=t+q",
        """{A} <buys/bought> {c#n} for {p$} each and a {m.one} for {q$}. How much [money|] <does/did> {A~}
        spend [in all|altogether|in total]?

        {A} <orders/ordered> {c#n} that <cost/cost> {p$} each. Shipping <costs/cost> {q$}. How much
        <does/did> {A~} pay [in all|]?

        {A} <spends/spent> {q$} on a {m.one}. {A.he} also <buys/bought> {c#n} at {p$} each. What <is/was>
        the total [cost|bill]?

        The {shop} charges {p$} for each {n.one} and {q$} for a {m.one}. What is the price of {c#n} and
        one {m.one}?""",
        n="shopping",
        m="~n",
        counts="dollars",
        weight=1.3,
    ),
    tale(
        "p:2-15 c:2-9 u=p*c q:2-40 m=u+q > s=m-q t=s/p",
        """{A} <has/had> {m$}. {A.he} <spends/spent> {q$} on a {other.one} and the rest on {n} that
        <cost/cost> {p$} each. How many {n} <does/did> {A~} buy?

        {A} <has/had> {m$}. After {A.he} <buys/bought> a {other.one} for {q$}, how many {n} at {p$} each
        can {A.he} buy with the [rest|remaining money|money left]?

        {A} <pays/paid> {m$} in all for {n} and a {other.one}. The {other.one} <costs/cost> {q$} and each
        {n.one} <costs/cost> {p$}. How many {n} <does/did> {A~} buy?""",
        n="shopping",
        other="~n",
        weight=1.3,
    ),
    tale(
        "p:2-15 c:2-9 u=p*c q:2-40 m=u+q > s=m-q t=s/c",
        """{A} <pays/paid> {m$} for {c#n} and a {other.one}. The {other.one} <costs/cost> {q$}. How much
        <does/did> each {n.one} cost?

        {A} <goes/went> to the {shop} with {m$}. After buying {c#n}, {A.he} <has/had> {q$} left. How much
        <is/was> each {n.one}?

        {A} <spends/spent> {m$} at the {shop}. {A.he} <buys/bought> a {other.one} for {q$} and {c#n}. If
        the {n} all <cost/cost> the same, what <is/was> the price of one {n.one}?""",
        n="shopping",
        other="~n",
        counts="dollars",
        weight=1.3,
    ),
    tale(
        "p:20-200/5 d:2-60 > s=p-d",
        """A {thing} [usually|normally|] costs {p$}. [Today it is {d$} off|{A} has a coupon for {d$} off|The
        shop takes {d$} off the price]. How much does {A} [pay|have to pay]?""",
        counts="dollars",
        weight=0.5,
    ),
    tale(
        "p:8-60 d:2-15 c:2-9 > s=p-d t=s*c",
        """A {n.one} [usually|normally|regularly] costs {p$}. [Today|This week|On {day}] each one is {d$}
        [off|cheaper]. How much do {c#n} cost [now|]?

        {A} <buys/bought> {c#n} on sale. The regular price <is/was> {p$}, but each {n.one} <is/was> {d$}
        less. How much <does/did> {A~} [pay|spend] [in all|]?

        {A} <buys/bought> {c#n} for {d$} each and <sells/sold> them for {p$} each. How much profit
        <does/did> {A~} make?

        It <costs/cost> {d$} to make a {n.one}, and {A} <sells/sold> it for {p$}. What <is/was> the profit
        on {c#n}?""",
        n="shopping",
        counts="dollars",
        weight=1.3,
    ),
    tale(
        "k:2-10 e:2-30 t=k*e > r=t/k",
        """{k} friends <split/split> the cost of {gift}. If it <costs/cost> {t$}, how much <does/did> each
        [friend|of them|person] pay?

        {A} and {A.his} friends <share/shared> a bill of {t$} equally. If there <are/were> {k} people in
        all, how much <does/did> each [one|person] pay?

        {gift} <costs/cost> {t$}. {k} people <share/shared> the cost [equally|evenly]. How much <does/did>
        each person pay?""",
        gift=(
            "a pizza party",
            "a birthday cake",
            "a gift",
            "a boat trip",
            "dinner",
            "a taxi ride",
            "a beach house",
            "a wedding present",
        ),
        about="each",
        counts="dollars",
    ),
    tale(
        "k:2-9 e:2-20 u=k*e a:5-60 a<u b=u-a 1<b > s=a+b t=s/k",
        """{k} friends <eat/ate> at a restaurant. The food <costs/cost> {a$} and the drinks <cost/cost> {b$}.
        If they <split/split> the bill [equally|evenly], how much <does/did> each pay?

        {A} <earns/earned> {a$} on {day} and {b$} on {day2}. {A.he} <divides/divided> the money equally
        among {A.his} {k} children. How much <does/did> each child get?

        {A} and {B} <have/had> {a$} and {b$}. How many {n} at {k$} each can they buy [together|with all of
        their money]?

        {A} <gets/got> {a$} from {A.his} mother and {b$} from {A.his} father. If each {n.one} <costs/cost>
        {k$}, how many {n} can {A~} buy?""",
        n="shopping",
        counts="dollars",
    ),
    tale(
        "a:2-9 b:2-9 > s=a*5 t=b*10 u=s+t",
        """{A} <has/had> {a} nickels and {b} dimes. How many cents <does/did> {A~} have [in all|altogether|]?

        {A} <finds/found> {a!} five-dollar bills and {b!} ten-dollar bills. How [much money|many dollars]
        <does/did> {A~} find?

        {A} <pays/paid> with {a} $5 bills and {b} $10 bills. How much <does/did> {A~} pay [in all|]?""",
        counts="cents",
        weight=0.5,
    ),
    tale(
        "a:2-12 b:2-20 > s=a*25 u=s+b",
        """{A} <has/had> {a} quarters and {b} pennies. How many cents <is/was> that?

        {A} <finds/found> {a} quarters and {b} pennies [in the couch|in a jar|in {A.his} pocket|]. How
        many cents <does/did> {A~} find?""",
        counts="cents",
        weight=0.4,
    ),
    *(
        tale(
            f"a:2-20 > s=a*{cents}",
            f"""How many cents are {{a}} {coin} worth?

            {{A}} <has/had> {{a}} {coin} [in {{A.his}} [pocket|piggy bank|purse|jar]|]. How many cents
            <does/did> {{A~}} have?""",
            counts="cents",
            weight=0.15,
        )
        for coin, cents in (("nickels", 5), ("dimes", 10), ("quarters", 25))
    ),
    tale(
        "a:2-20 p:2-9 b:2-20 q:2-9 c:10-60 > s=a*p t=b*q u=s+t r=u-c",
        """{A} <sells/sold> {a#n} for {p$} each and {b#m} for {q$} each. {A.he} <spends/spent> {c$} on
        supplies. How much money <does/did> {A~} have left?

        {A} <buys/bought> {a#n} at {p$} each and {b#m} at {q$} each. {A.he} <has/had> a coupon for {c$}
        off. How much <does/did> {A~} pay?

        {A} <needs/needed> {a#n} at {p$} each and {b#m} at {q$} each. {A.he} <has/had> {c$}. How much more
        money <does/did> {A~} need?""",
        n="shopping",
        m="~n",
        counts="dollars",
        weight=1.5,
    ),
    tale(
        "a:2-12 p:2-9 b:2-12 q:2-9 m:100,50,200,60,80 > s=a*p t=b*q u=s+t r=m-u",
        """{A} <has/had> {m$}. {A.he} <buys/bought> {a#n} for {p$} each and {b#o} for {q$} each. How much
        [money|] <does/did> {A~} have left?

        {A} <buys/bought> {a#n} at {p$} each and {b#o} at {q$} each. If {A.he} <pays/paid> with {m$}, how
        much change <does/did> {A~} get?""",
        n="shopping",
        o="~n",
        counts="dollars",
        weight=1.5,
    ),
    tale(
        "w:5-20 h:2-8 d:2-6 c:5-90 > t=w*h u=t*d r=u-c",
        """{A} <works/worked> {h} hours a day for {d} days and <earns/earned> {w$} an hour. {A.he}
        <spends/spent> {c$} on a {thing}. How much [money|] <does/did> {A~} have left?

        {A} <earns/earned> {w$} per hour as a {job}. {A.he} <works/worked> {h} hours each day for {d} days
        and <pays/paid> {c$} in taxes. How much <does/did> {A~} keep?""",
        counts="dollars",
        weight=1.2,
    ),
    tale(
        "k:2-6 e:2-8 w:2-12 f:2-8 v:2-12 h:2-5 > s=k*w t=e*v u=s+t r=u*h x=r-f",
        """{A} <sells/sold> {k#n} for {w$} each and {e#m} for {v$} each every day. After {h} days, {A.he}
        <spends/spent> {f$}. How much <does/did> {A~} have left?

        Each week, {A} <makes/made> {k#n} that <sell/sold> for {w$} each and {e#m} that <sell/sold> for
        {v$} each. {A.he} <pays/paid> {f$} for the stand. How much profit <does/did> {A~} make in {h}
        weeks?""",
        n="crafts",
        m="~n",
        counts="dollars",
        weight=1.0,
    ),
)

MONEY: tuple[Scenario, ...] = EARNING + BUYING

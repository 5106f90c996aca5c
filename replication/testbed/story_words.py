"""Words that go together in the tales: containers and contents, makers and products, verb forms."""

from replication.testbed import lexicon
from replication.testbed.lexicon import Noun, noun

POOLS: dict[str, tuple[str, ...]] = {
    "color": lexicon.COLOURS,
    "size": ("big", "small", "large", "little", "new", "old"),
    "day": lexicon.WEEKDAYS,
    "month": lexicon.MONTHS,
    "place": lexicon.PLACES,
    "shop": lexicon.SHOPS,
    "event": lexicon.EVENTS,
    "subject": lexicon.SUBJECTS,
    "relative": lexicon.RELATIVES,
    "meal": ("breakfast", "lunch", "dinner", "dessert", "a snack"),
    "part_of_day": ("morning", "afternoon", "evening"),
    "town": tuple(
        """Boston Chicago Dallas Denver Houston Miami Phoenix Seattle Portland Paris London Springfield
        Oakville Riverdale Georgetown Franklin Clayton Washington Atlanta Austin Orlando Detroit Toronto Vegas
        Hawaii Canada Mexico California Florida Texas Virginia Georgia Europe Japan Spain Egypt""".split()
    ),
    "room": (
        "kitchen",
        "bedroom",
        "living room",
        "bathroom",
        "garage",
        "basement",
        "attic",
        "classroom",
        "closet",
    ),
    "job": tuple(
        word.replace("_", " ")
        for word in """nurse teacher waiter mechanic cashier driver tutor carpenter plumber painter gardener
        baker lawyer
        doctor electrician lifeguard librarian cook barber dentist secretary programmer janitor manager
        photographer
        salesman firefighter tailor nanny dog_walker bus_driver sales_clerk piano_teacher police_officer
        taxi_driver
        delivery_driver""".split()
    ),
    "sport": (
        "soccer",
        "basketball",
        "baseball",
        "football",
        "hockey",
        "volleyball",
        "tennis",
        "softball",
        "chess",
    ),
    "thing": tuple(
        word.replace("_", " ")
        for word in """bike guitar scooter phone computer tablet camera skateboard laptop piano drum
        television telescope
        violin necklace tent microwave watch drone keyboard backpack surfboard printer helmet vacuum
        sewing_machine video_game game_console pair_of_shoes pair_of_boots winter_coat school_uniform
        swimming_pool diamond_ring used_car ticket_to_the_zoo trip_to_the_beach birthday_gift wedding_dress
        fishing_rod coffee_machine puppy pony kitten dollhouse remote_control_car lawn_mower dining_table
        new_bed""".split()
    ),
}


def _table(columns: str, rows: str) -> tuple[tuple[str, ...], tuple[tuple, ...]]:
    """Return column names and rows; columns hold nouns, except verbs and texts (written "=x")."""
    names = columns.split()
    parsed = []
    for row in rows.replace("\n", " ").split(","):
        cells = [cell.strip() for cell in row.split("|")]
        parsed.append(
            tuple(
                cell if name[0] == "=" or name.startswith("verb") else noun(cell)
                for name, cell in zip(names, cells, strict=True)
            )
        )
    return tuple(name.lstrip("=") for name in names), tuple(parsed)


TABLES: dict[str, tuple[tuple[str, ...], tuple[tuple, ...]]] = {
    "owned": _table(
        "box n",
        """bag|marble, box|crayon, basket|apple, jar|cookie, shelf|book, tray|cupcake, carton|egg, pack|card,
        album|photo, page|stamp, crate|orange, bucket|seashell, drawer|sock, vase|flower, packet|seed,
        box|chocolate, bouquet|rose, case|pen, bowl|grape, sack|potato, bag|chip, pack|pencil, box|pencil,
        folder|file, envelope|letter, plate|cookie, sheet|sticker, pack|sticker, bag|balloon, stack|coin,
        pile|brick, flowerpot|daisy, pack|gumball, box|donut, bag|lollipop, carton|juice box, box|tea bag,
        can|tennis ball, pizza|slice, cake|candle, pie|slice, bag|bagel, box|light bulb, toolbox|nail,
        package|hot dog, package|napkin, pack|paper plate, bunch|banana, bunch|balloon,
        container|strawberry, pack|battery, file|picture, bundle|stick, roll|coin, cabinet|plate,
        closet|shirt, hanger|dress, gift bag|toy, lunch box|sandwich, platter|burger, case|bottle of water,
        box|ornament, goodie bag|candy, pack|comic book, crate|mango, barrel|pickle, bin|toy, chest|jewel,
        purse|key, set|marker, pot|dumpling, pouch|acorn, bag|jelly bean, box|granola bar,
        carton|can of juice, bag|peanut, tin|sardine""",
    ),
    "scene": _table(
        "box n",
        """album|song, apartment|door, aquarium|turtle, barn|cow, bench|person, boat|passenger,
        bookcase|shelf, book|page, bracelet|bead, branch|leaf, building|apartment, bush|rose, bus|student,
        bus|wheel, cabin|camper, cage|rabbit, carnation bouquet|flower, castle|lego, chapter|page,
        chapter|problem, classroom|desk, class|student, field|pumpkin, flock|bird, floor|room, game|point,
        garden bed|carrot, garden|tulip, group|tourist, herd|cow, hive|bee, house|window, kite|ribbon,
        line|dancer, log|ant, necklace|bead, nest|egg, notebook|page, page|problem, page|word,
        patch|watermelon, pond|frog, puzzle|piece, quilt|square, room|bed, row|chair, row|corn stalk,
        row|seat, row|tomato plant, school|teacher, season|episode, shirt|button, song|verse,
        squad|soldier, table|guest, tank|fish, team|player, tent|scout, tower|block, train car|passenger,
        tree|peach, truck|bag of cement, truck|crate, van|child, web|spider""",
    ),
    "packed": _table(
        "verb box n",
        """put|bag|marble, pack|box|crayon, place|basket|apple, put|jar|cookie, arrange|shelf|book,
        stack|row|chair, pack|carton|egg, paste|page|stamp, put|page|photo, pack|crate|orange, plant|row|tree,
        plant|pot|seed, plant|row|tulip, tie|bundle|stick, put|vase|rose, put|bouquet|flower,
        arrange|tray|muffin, place|plate|sandwich, pack|box|toy, sort|pile|coin, place|group|sticker,
        pack|suitcase|shirt, put|folder|paper, store|bin|block, pack|bag|candy, put|row|desk, pack|box|donut,
        put|bowl|cherry, pour|glass|ounce of juice, wrap|package|cookie, put|bracelet|bead,
        string|necklace|bead, put|binder|baseball card, place|tank|fish, put|bag|lollipop, pack|carton|bottle
        of milk, place|bucket|shell, store|chest|coin, put|drawer|pencil, pack|crate|watermelon,
        put|sheet|sticker, stack|pile|brick, pack|box|candle, pack|box|ornament, put|lunch bag|carrot,
        put|cage|bird, arrange|table|plate, load|truck|box, pack|box|light bulb, put|goodie bag|whistle,
        pack|bag|bagel, put|pen|sheep, divide|bag|jelly bean, pack|basket|strawberry, place|platter|burger,
        put|album|picture, put|case|pen""",
    ),
    "made": _table(
        "verb n",
        """bake|cupcake, bake|cookie, bake|pie, bake|loaf of bread, make|bracelet, make|sandwich,
        make|necklace, knit|scarf, knit|hat, sew|dress, sew|shirt, paint|picture, draw|picture, write|page,
        write|letter, write|email, read|page, read|book, solve|problem, solve|puzzle, plant|tree,
        plant|flower, pick|apple, pick|strawberry, pick|orange, pick|tomato, catch|fish, wash|car, wash|dish,
        wash|window, sell|ticket, sell|newspaper, sell|cup of lemonade, fold|paper crane, fold|towel,
        build|chair, build|table, build|birdhouse, repair|bike, repair|phone, fix|computer, deliver|pizza,
        deliver|package, deliver|newspaper, type|word, type|letter, collect|shell, collect|can, collect|egg,
        collect|bottle, cook|meal, cook|pancake, grill|hamburger, carve|pumpkin, water|plant, feed|animal,
        walk|dog, do|push-up, do|sit-up, run|lap, swim|lap, play|game, score|point, send|text
        message, take|photo, clean|room, mow|lawn, rake|bag of leaves, stack|brick, chop|log, sharpen|pencil,
        wrap|gift, decorate|cake, print|page, copy|page, pack|box, fill|bottle, milk|cow, shear|sheep,
        gather|acorn, dig|hole, answer|question, grade|test, teach|class, learn|song, sing|song,
        practice|song, watch|movie, watch|episode, eat|grape, eat|carrot, eat|cracker, drink|glass of water,
        drink|cup of tea, brew|cup of coffee, burn|calorie, climb|stair, polish|shoe, iron|shirt, hang|poster,
        blow up|balloon, throw|ball, hit|ball, lift|weight, count|star, spot|bird, plow|field, change|tire,
        make|call, see|patient, serve|customer, cut|tree, cut|board, paint|house, lay|brick, make|paper
        airplane, create|painting, record|song, shoot|arrow, produce|video, memorize|word, peel|potato,
        slice|tomato, roll|dough ball, carry|bucket of water""",
    ),
    "machine": _table(
        "=machine n",
        """machine|toy, machine|bottle, machine|button, factory|car, factory|bicycle, factory|shirt,
        factory|chair, printer|page, printer|poster, bakery|loaf of bread, robot|part, machine|bolt,
        machine|pencil, factory|computer, oven|pizza, company|phone, workshop|table, farm|egg, machine|can of
        soda, factory|tire, copier|sheet, mill|bag of flour, machine|candy, factory|doll, shop|cake,
        plant|car, machine|jar of jam, company|lamp, machine|cup, farm|gallon of milk, factory|lego set,
        restaurant|meal, bookstore|book, garage|oil change, machine|shirt, factory|toothbrush, camera|picture,
        fountain|gallon of water, machine|ice cube, juicer|glass of juice""",
    ),
    "users": _table(
        "item n",
        """cake|egg, cake|cup of flour, pie|apple, pie|cup of sugar, sandwich|slice of bread, bracelet|bead,
        necklace|bead, dress|button, shirt|button, table|nail, chair|screw, birdhouse|nail, smoothie|banana,
        smoothie|strawberry, pizza|tomato, pizza|cup of cheese, bouquet|rose, bouquet|flower, costume|yard of
        fabric, curtain|yard of cloth, scarf|ball of yarn, hat|ball of yarn, sweater|ball of yarn, batch of
        cookies|cup of flour, loaf of bread|cup of flour, salad|tomato, salad|cucumber, burger|slice of bacon,
        cookie|chocolate chip, cupcake|cherry, shelf|board, fence|board, kite|stick, lantern|sheet of paper,
        toy car|wheel, bike|wheel, wagon|wheel, lamp|light bulb, poster|marker, card|sticker, pot|seed,
        omelet|egg, pitcher of lemonade|lemon, glass of juice|orange, gift|ribbon, gift bag|candy,
        quilt|square of fabric, soup|carrot, banana split|scoop of ice cream, taco|tortilla, tray of
        lasagna|cup of cheese, house|window, robot|battery, flashlight|battery, remote|battery,
        wreath|pinecone, necklace|shell, bookcase|screw, bench|board, painting|tube of paint, room|gallon of
        paint, wall|tile, snowman|button, batch of muffins|egg, pan of brownies|egg, wedding cake|pound of
        sugar, fruit basket|pear, dog|treat, horse|carrot, plant|cup of water, party guest|balloon, rope
        ladder|rope""",
    ),
    "people": _table(
        "n who",
        """book|boy, marble|child, cookie|friend, sticker|student, pencil|student, candy|kid, toy|child, slice
        of pizza|friend, card|player, game|player, balloon|child, cupcake|guest, apple|child, orange|player,
        brownie|girl, crayon|kid, coin|pirate, shell|girl, sandwich|hiker, worksheet|student, pen|worker,
        ticket|teacher, grape|kid, chocolate|cousin, acorn|squirrel, carrot|rabbit, nut|monkey, fish|penguin,
        banana|monkey, treat|puppy, bone|dog, problem|student, page|reporter, cracker|toddler, donut|officer,
        towel|swimmer, flower|bridesmaid, bottle of water|runner, hot dog|camper, ball|player, photo|relative,
        egg|cook, plate|waiter, seed|gardener, jelly bean|child, muffin|neighbor, stamp|collector, bead|girl,
        chore|child, tree|gardener, patient|nurse, song|singer, mint|guest, chocolate bar|classmate, gummy
        bear|sister, gift|child, lego|brother, comic book|brother, pancake|person, block|toddler,
        mango|sibling, piece of candy|child, slice of cake|guest""",
    ),
    "seats": _table(
        "n box",
        """student|bus, child|van, camper|cabin, person|table, guest|table, fan|bus, tourist|boat, kid|ride,
        player|team, student|group, scout|tent, passenger|car, visitor|elevator, soldier|truck, dancer|line,
        singer|row, worker|van, hiker|boat, student|bench, worker|office, swimmer|lane, guest|limousine,
        parent|car, teacher|room, student|canoe, person|roller coaster car, actor|dressing room""",
    ),
    "measured": _table(
        "n =stuff",
        """foot|rope, inch|ribbon, meter|wire, yard|fabric, foot|board, inch|string, meter|pipe, foot|fence,
        yard|yarn, cup|flour, ounce|juice, gallon|water, liter|milk, pound|rice, pound|sugar, ounce|chocolate,
        kilogram|sand, gallon|paint, pound|clay, ounce|coffee, gram|salt, quart|lemonade, bottle|shampoo,
        pound|dog food, pound|cheese, liter|soda, pound|fudge, cup|sugar, pound|beef, gallon|gas, foot|tape,
        milliliter|medicine, gram|gold, pound|seed mix, kilogram|cement, foot|firewood""",
    ),
    "grown": _table(
        "=what n",
        """tree|inch, plant|inch, sunflower|centimeter, vine|foot, bamboo|inch, kitten|ounce, puppy|pound,
        baby|pound, snake|inch, hedge|inch, corn plant|inch, calf|kilogram, piglet|pound, snowbank|inch,
        candle|centimeter, pumpkin|pound, rope|foot, alligator|inch, hole|foot, tower|block""",
    ),
    "colony": _table(
        "n =where",
        """frog|the pond, rabbit|the field, bee|the hive, fish|the tank, duck|the lake, bacterium|the dish,
        lily pad|the pond, ant|the colony, bird|the park, mouse|the barn, weed|the garden, member|the club,
        mosquito|the swamp, cell|the lab dish, squirrel|the forest, visitor|the museum, subscriber|the
        channel, wolf|the valley, deer|the forest, student|the program""",
    ),
    "goods": _table(
        "n =shop2",
        """pencil|the school store, notebook|the school store, apple|the market, orange|the market, book|the
        bookstore, magazine|the bookstore, shirt|the mall, sock|the mall, hat|the mall, toy car|the toy store,
        doll|the toy store, puzzle|the toy store, burger|the diner, hot dog|the ball park, taco|the food
        truck, pizza|the restaurant, sandwich|the cafeteria, cookie|the bakery, cake|the bakery, donut|the
        bakery, loaf of bread|the bakery, muffin|the cafe, cup of coffee|the coffee shop, bottle of water|the
        gym, ticket|the fair, ticket|the theater, candle|the gift shop, mug|the gift shop, postcard|the gift
        shop, rose|the flower shop, bouquet|the flower shop, video game|the game store, fish|the pet store,
        hamster|the pet store, bag of dog food|the pet store, can of paint|the hardware store, hammer|the
        hardware store, box of nails|the hardware store, tire|the garage, movie|the store, CD|the music store,
        pair of shoes|the shoe store, pair of jeans|the department store, dress|the boutique, bracelet|the
        craft fair, pumpkin|the farm, watermelon|the farmers' market, carton of eggs|the grocery store, gallon
        of milk|the supermarket, pound of beef|the supermarket, pound of grapes|the grocery store, bag of
        chips|the corner store, ice cream cone|the beach, balloon|the carnival, ride|the amusement park, used
        book|the library sale, plant|the nursery, kite|the beach shop, tablet|the electronics store, lamp|the
        furniture store, chair|the furniture store, pillow|the store, plate|the yard sale, game|the garage
        sale, stamp|the post office, pie|the bake sale, cupcake|the bake sale, necklace|the jewelry store,
        avocado|the grocery store, bag of rice|the store, pack of gum|the store, soda|the movie theater, candy
        bar|the store""",
    ),
}

KINDS: dict[str, tuple[Noun, ...]] = {
    kind: tuple(noun(word.strip()) for word in words.split(","))
    for kind, words in {
        "farm_legs": "dog,cat,horse,cow,sheep,goat,pig,table,chair,elephant,lion,donkey,deer,zebra,bear",
        "bird_legs": "chicken,duck,bird,goose,turkey,hen,owl,ostrich,penguin,person,swan,parrot,crow",
        "insect_legs": "ant,bee,insect,beetle,ladybug,butterfly,grasshopper,cricket,fly,mosquito",
        "spider_legs": "spider,scorpion,tarantula,tick",
        "four_wheels": "car,wagon,taxi,van,cart,toy car,skateboard,shopping cart",
        "two_wheels": "bike,bicycle,motorcycle,scooter",
        "three_wheels": "tricycle,tuk-tuk,three-wheeler",
    }.items()
}
TABLES["held"] = (TABLES["owned"][0], TABLES["owned"][1] + TABLES["scene"][1])
_PAST = dict(
    pair.split(":")
    for pair in """make:made read:read write:wrote draw:drew catch:caught sell:sold build:built run:ran
                swim:swam do:did send:sent take:took feed:fed sing:sang eat:ate drink:drank blow:blew
                throw:threw hit:hit see:saw cut:cut lay:laid shoot:shot put:put dig:dug teach:taught get:got
                give:gave buy:bought spend:spent ride:rode drive:drove go:went win:won lose:lost find:found
                earn:earned keep:kept hang:hung grow:grew string:strung fly:flew""".split()
)

_DOUBLED = frozenset("wrap chop knit run swim put cut hit dig spot jog win get plan shop".split())


def verb_form(verb: str, form: str) -> str:
    """Return the form "s" (makes), "ed" (made), "ing" (making) or "" of a verb; "blow up" keeps its "up"."""
    head, _, tail = verb.partition(" ")
    return f"{_inflected(head, form)} {tail}".strip()


def _inflected(head: str, form: str) -> str:
    vowel_y = head.endswith("y") and head[-2] in "aeiou"
    if form == "s":
        if head.endswith("y") and not vowel_y:
            return f"{head[:-1]}ies"
        return f"{head}es" if head.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{head}s"
    stem = head + head[-1] if head in _DOUBLED else head
    if form == "ing":
        return f"{stem[:-1]}ing" if stem.endswith("e") and not stem.endswith("ee") else f"{stem}ing"
    if form != "ed":
        return head
    if head in _PAST:
        return _PAST[head]
    if head.endswith("y") and not vowel_y:
        return f"{head[:-1]}ied"
    return f"{stem}d" if head.endswith("e") else f"{stem}ed"

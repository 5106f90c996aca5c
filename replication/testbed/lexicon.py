"""Vocabulary of the word problems: names, roles, countable nouns by theme, places, verbs, number words."""

import random
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple


class Noun(NamedTuple):
    """A countable noun: singular and plural."""

    one: str
    many: str


@dataclass(frozen=True)
class Person:
    """Someone in a story: the name ("the farmer"), pronouns, and the name at first mention ("a farmer")."""

    name: str
    he: str
    him: str
    his: str
    first: str


_SHE = ("she", "her", "her")
_HE = ("he", "him", "his")

GIRLS = tuple(
    """Mary Anna Lucy Sara Sarah Emma Olivia Sophia Ava Mia Amelia Emily Ella Grace Chloe Lily Zoe Hannah
    Nora Layla Maya Priya Aisha Fatima Mei Yuki Rosa Maria Elena Carmen Lucia Julia Clara Alice Jane
    Kate Katie Lisa Linda Nancy Susan Karen Betty Helen Sandra Donna Carol Ruth Sharon Michelle Laura
    Kim Jessica Melissa Rebecca Amanda Stephanie Nicole Heather Rachel Megan Joan Tina Wendy Paula Diana
    Gina Tanya Tonya Keisha Shanika Jasmine Bella Isabella Ivy Ruby Violet Daisy Molly Kelly Kelsey
    Haley Bailey Allison Brenda Cindy Debby Denise Dorothy Edith Ellen Faye Fiona Gloria Greta Ingrid
    Irene Janet Jenny Jill Josie Joyce Judy Kathy Kayla Lauren Leah Lena Lori Marie Marta Melanie Mila
    Monica Naomi Natalie Nina Olga Pam Penny Rose Sally Samantha Sofia Stacy Tara Tracy Vanessa Vera
    Victoria Virginia Willow Yolanda Zara Adriana Beth Carla Dana Eva Freya Hazel Imani Joanne Lara
    Madison Nadia Amy Abby Angela April Ashley Bonnie Brianna Brooke Christina Courtney Crystal Danielle
    Eliza Erica Haruka Jade Kiara Lexi Mandy Marissa Misty Mona Nia Peggy Robin Roxanne Sadie Shelly
    Sierra Suzy Tess Tiffany Trisha Zainab""".split()
)
BOYS = tuple(
    """Tom Ben Jack Sam John James Robert Michael William David Richard Joseph Thomas Charles Daniel
    Matthew Anthony Mark Paul Steven Andrew Kenneth George Joshua Kevin Brian Edward Ronald Tim Jason
    Jeff Ryan Jacob Gary Nick Eric Jonathan Stephen Larry Justin Scott Brandon Frank Greg Raymond
    Alexander Patrick Dennis Jerry Tyler Aaron Jose Henry Adam Doug Nathan Peter Zach Kyle Walter Ethan
    Jeremy Harold Carl Keith Roger Gerald Arthur Sean Christian Austin Noah Jesse Joe Bryan Billy Bruce
    Jordan Dylan Alan Ralph Gabriel Roy Juan Wayne Logan Randy Louis Philip Bobby Johnny Bradley Liam
    Mason Oliver Lucas Leo Max Oscar Felix Hugo Ivan Omar Ali Ahmed Hassan Raj Arjun Ravi Wei Jin Kenji
    Hiro Carlos Diego Luis Miguel Pedro Pablo Marco Mateo Rafael Antonio Fred Ted Bill Bob Jim Jimmy
    Mike Dan Danny Dave Ed Eddie Gus Harry Ike Jake Ken Kurt Lee Lenny Luke Martin Matt Milo Ned Neil
    Norman Owen Pat Phil Quentin Rick Rob Ron Ross Russell Seth Simon Stan Steve Stuart Terry Tony
    Trevor Troy Victor Vincent Wade Warren Will Xavier Zane Kofi Kwame Jamal Malik Darius Andre Isaac
    Elijah Caleb Connor Evan Ian Jared Josh Julian Levi Brock Chad Cody Colin Craig Derek Dominic Dwayne
    Emmett Gavin Glen Grant Hector Jorge Kaleb Mitchell Parker""".split()
)
NAMES = (*GIRLS, *BOYS)
NAMES = GIRLS + BOYS
SURNAMES = tuple(
    """Smith Johnson Brown Jones Garcia Miller Davis Martinez Lopez Wilson Anderson Taylor Moore Jackson
    Lee White Harris Clark Lewis Young Walker Hall Allen King Wright Scott Hill Green Adams Baker Nelson
    Carter Chen Wong Patel Kim Khan Rivera Bennett Gray Watson Brooks Kelly Sanders Price Wood Ross
    Murphy Cooper Reed Bell Fisher""".split()
)
ROLES = tuple(
    """farmer baker teacher librarian shopkeeper gardener student chef coach fisherman/he painter tailor
    mechanic florist waiter/he waitress/she carpenter collector nurse driver grocer jeweler scientist
    musician boy/he girl/she man/he woman/she builder cook vendor cashier butcher/he artist writer
    zookeeper photographer dancer/she pilot plumber""".split()
)
RELATIVES = (
    "brother", "sister", "mother", "father", "mom", "dad", "grandmother", "grandfather", "uncle", "aunt",
    "cousin", "friend", "neighbor", "teacher", "classmate", "grandma", "grandpa", "best friend",
    "little brother", "little sister", "older brother", "older sister", "younger brother",
)  # fmt: skip

_IRREGULAR = {
    "goose": "geese",
    "mouse": "mice",
    "child": "children",
    "man": "men",
    "woman": "women",
    "person": "people",
    "tooth": "teeth",
    "foot": "feet",
    "sheep": "sheep",
    "fish": "fish",
    "deer": "deer",
    "knife": "knives",
    "loaf": "loaves",
    "leaf": "leaves",
    "shelf": "shelves",
    "scarf": "scarves",
    "half": "halves",
    "wolf": "wolves",
    "calf": "calves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "mango": "mangoes",
    "ox": "oxen",
    "fisherman": "fishermen",
    "snowman": "snowmen",
    "bookshelf": "bookshelves",
    "swordfish": "swordfish",
    "goldfish": "goldfish",
    "quiz": "quizzes",
    "thief": "thieves",
    "cactus": "cacti",
    "elf": "elves",
    "jellyfish": "jellyfish",
    "catfish": "catfish",
    "trout": "trout",
    "shrimp": "shrimp",
    "starfish": "starfish",
    "headscarf": "headscarves",
    "salmon": "salmon",
}


def plural(word: str) -> str:
    """Return the plural of a noun; in "pack of gum" and "bag of chips" the first word takes it."""
    if " of " in word:
        head, rest = word.split(" of ", 1)
        return f"{plural(head)} of {rest}"
    stem, _, last = word.rpartition(" ")
    if last in _IRREGULAR:
        return f"{stem} {_IRREGULAR[last]}".strip()
    if last.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    if last.endswith("y") and last[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


@cache
def noun(word: str) -> Noun:
    """Return the noun of a singular."""
    word = " ".join(word.split())
    return Noun(word, plural(word))


_THEMES = {
    "fruit": "apple,orange,banana,pear,peach,plum,mango,lemon,lime,kiwi,apricot,cherry,strawberry,grape,"
    "melon,"
    "watermelon,pineapple,coconut,fig,tangerine,blueberry,raspberry,grapefruit,papaya,pomegranate,"
    "blackberry,date",
    "vegetables": "carrot,potato,tomato,onion,cucumber,pumpkin,turnip,beet,cabbage,eggplant,radish,pepper,"
    "zucchini,"
    "sweet potato,mushroom,ear of corn,head of lettuce,green bean,pea pod,squash,bell pepper",
    "sweets": "candy,cookie,cupcake,brownie,muffin,donut,lollipop,chocolate bar,candy bar,gumball,jelly bean,"
    "marshmallow,chocolate,gummy bear,caramel,piece of candy,piece of gum,pastry,macaron,ice cream cone,"
    "popsicle,"
    "pancake,waffle,mint,candy cane,stick of gum,jawbreaker,oatmeal cookie,chocolate chip cookie,Skittle,"
    "fudge square",
    "baked": "pie,cake,loaf of bread,bagel,roll,croissant,tart,cheesecake,apple pie,bun,biscuit,pizza,"
    "pretzel,"
    "cookie,cupcake,brownie,muffin,donut,pastry,lasagna,batch of cookies,cinnamon roll,baguette,tray of "
    "muffins,meat pie,scone",
    "meals": "sandwich,hot dog,hamburger,burger,taco,salad,burrito,slice of pizza,bowl of soup,egg,"
    "meatball,sausage,"
    "cheeseburger,chicken nugget,dumpling,spring roll,egg roll,steak,chicken wing,rice ball,kebab,slice "
    "of bread",
    "drinks": "juice box,soda,bottle of water,glass of milk,cup of coffee,can of soda,smoothie,milkshake,"
    "cup of tea,"
    "carton of milk,bottle of juice,glass of lemonade,water bottle,hot chocolate,lemonade,glass of water",
    "nuts": "peanut,walnut,almond,acorn,hazelnut,cashew,chestnut,raisin,seed,pecan,cracker,chip,sunflower "
    "seed,"
    "pumpkin seed,pistachio,potato chip,bean",
    "toys": "marble,toy car,doll,teddy bear,balloon,kite,yo-yo,puzzle,block,toy truck,action figure,ball,"
    "jump rope,"
    "toy soldier,top,stuffed animal,lego,board game,video game,water gun,toy train,robot,dinosaur,toy,"
    "whistle,"
    "beach ball,water balloon,bouncy ball,lego set,toy boat,building block,model car,glow stick,Frisbee,"
    "slinky",
    "collection": "sticker,stamp,coin,card,baseball card,shell,seashell,rock,postcard,trading card,badge,"
    "bead,button,"
    "crayon,photo,comic book,magnet,poster,bottle cap,gem,Pokemon card,key chain,pin,feather,football card,"
    "basketball card,pebble,crystal,magic card,figurine,ticket stub,fossil,patch,bookmark,souvenir,"
    "photograph,seed packet",
    "school": "pencil,pen,book,notebook,eraser,ruler,marker,folder,binder,worksheet,textbook,sheet of "
    "paper,paper clip,"
    "colored pencil,glue stick,backpack,calculator,highlighter,index card,rubber band,note card,piece of "
    "paper,"
    "piece of chalk,paintbrush,box of crayons,stapler,report,test paper,composition book,dictionary,pack "
    "of paper",
    "reading": "book,magazine,comic book,novel,newspaper,letter,story,poem,fairy tale,mystery book,"
    "picture book,"
    "atlas,e-book,cookbook,chapter book,biography,journal,children's book,history book,science book",
    "flowers": "rose,tulip,daisy,lily,sunflower,orchid,carnation,daffodil,flower,violet,petunia,marigold,"
    "lavender plant,"
    "geranium,bouquet,dandelion,hyacinth,poppy,tulip bulb",
    "trees": "tree,oak tree,maple tree,pine tree,apple tree,bush,shrub,orange tree,palm tree,cherry tree,"
    "walnut tree,"
    "rose bush,orchid bush,dogwood tree,peach tree,crape myrtle tree,plant,seedling,fern,cactus,tomato "
    "plant,vine,"
    "lemon tree,willow tree",
    "farm": "cow,pig,sheep,hen,chicken,goat,horse,duck,goose,turkey,rabbit,donkey,lamb,calf,pony,rooster,"
    "chick,piglet,"
    "ox,llama,bull,farm animal,barn cat,mule,foal",
    "pets": "cat,dog,puppy,kitten,hamster,goldfish,parrot,turtle,bunny,guinea pig,parakeet,lizard,snake,"
    "fish,canary,"
    "ferret,poodle,gerbil,mouse,pet",
    "wild": "bird,squirrel,frog,fox,owl,deer,bear,monkey,elephant,lion,tiger,zebra,giraffe,penguin,wolf,"
    "eagle,seal,"
    "kangaroo,dolphin,crow,pigeon,sparrow,bat,swan,flamingo,hippo,otter,panda,raccoon,whale,shark,camel,"
    "toad,robin,"
    "seagull,crocodile,peacock,blue jay,polar bear,gorilla",
    "bugs": "butterfly,ant,bee,ladybug,spider,worm,snail,caterpillar,grasshopper,beetle,firefly,cricket,"
    "dragonfly,bug,"
    "moth,fly,insect,mosquito",
    "sea": "fish,crab,starfish,jellyfish,lobster,shrimp,salmon,trout,oyster,clam,catfish,sea turtle,"
    "octopus,eel,"
    "swordfish,seahorse",
    "clothes": "shirt,hat,sock,dress,skirt,jacket,sweater,scarf,glove,T-shirt,coat,pair of shoes,pair of "
    "socks,cap,tie,"
    "belt,pair of jeans,blouse,pair of pants,mitten,pair of gloves,uniform,pair of shorts,hoodie,pair of "
    "boots,sandal,"
    "pair of sneakers,ribbon,bracelet,necklace,ring,earring,headband,bow,watch,swimsuit,suit,pair of "
    "earrings,raincoat",
    "household": "plate,cup,spoon,fork,knife,bowl,glass,chair,table,lamp,candle,pillow,blanket,towel,"
    "napkin,mug,"
    "light bulb,basket,vase,clock,mirror,shelf,rug,curtain,picture frame,bar of soap,roll of paper towels,"
    "paper plate,"
    "battery,umbrella,bucket,broom,sponge,bottle of lotion,pot,pan,teapot,picture,ornament,paper towel,"
    "key,couch,sofa",
    "tools": "nail,screw,hammer,brick,board,bolt,plank,tile,wrench,screwdriver,saw,shovel,rake,ladder,"
    "paint can,"
    "can of paint,piece of wood,block of wood,tool,nut,rope,wire,pipe,plank of wood,bag of cement,wheel,"
    "tire,spring",
    "sports": "baseball,basketball,football,tennis ball,soccer ball,golf ball,bat,hockey puck,skateboard,"
    "volleyball,"
    "trophy,medal,helmet,bowling ball,tennis racket,pair of skates,jersey,surfboard,racket,hula hoop,bike,"
    "hockey stick",
    "vehicles": "car,truck,bus,bicycle,motorcycle,van,boat,train,scooter,taxi,airplane,canoe,ship,"
    "helicopter,tractor,"
    "wagon,minivan,SUV,sailboat,school bus,tricycle,kayak,fire truck",
    "gadgets": "phone,laptop,tablet,computer,camera,television,radio,printer,speaker,CD,DVD,video,song,"
    "movie,app,"
    "headphone,keyboard,charger,email,text message,picture,video game,file,monitor,hard drive",
    "crafts": "bead,button,ribbon,string,needle,quilt,card,paper crane,origami crane,painting,drawing,"
    "bracelet,scarf,"
    "candle,clay pot,paper airplane,necklace,basket,hat,invitation,valentine,paper flower,greeting card,"
    "paper snowflake,"
    "bow,poster,friendship bracelet,birdhouse,mask,sculpture,bar of soap,gift basket",
    "party": "balloon,party hat,gift,candle,invitation,party favor,paper plate,streamer,cupcake,present,"
    "goodie bag,"
    "decoration,banner,goody bag,lantern",
    "people": "student,boy,girl,child,person,player,visitor,passenger,customer,guest,worker,kid,fan,"
    "teacher,tourist,"
    "camper,adult,volunteer,dancer,singer,swimmer,actor,farmer,nurse,soldier,runner,friend,member,"
    "musician,athlete,"
    "employee,scout,neighbor,parent,cheerleader,shopper,reader,doctor,engineer,scientist,sailor,hiker,"
    "class member",
    "containers": "box,bag,basket,jar,bucket,tray,crate,bowl,can,drawer,bin,container,carton,case,packet,"
    "pack,package,"
    "chest,barrel,sack,tank,envelope,folder,shelf,cabinet,bottle,tin,cage,pile,bottle crate,plastic bag,"
    "suitcase,tub",
    "packs": "pack,box,bag,package,carton,packet,set,case,bundle,jar,basket,container,tray,crate,roll",
    "groups": "group,team,row,class,table,bus,room,line,stack,pile,section,classroom,column,tent,floor,"
    "squad,circle",
    "shopping": "shirt,book,toy,hat,pen,game,ball,cake,doll,ticket,sandwich,notebook,lamp,dress,puzzle,"
    "chair,jacket,"
    "scarf,movie,video game,backpack,candle,plant,mug,pizza,burger,necklace,ring,bracelet,pillow,blanket,"
    "cup,magazine,"
    "comic book,T-shirt,sweater,toy car,soccer ball,watch,picture frame,board game,bag,pair of shoes,pair "
    "of socks,"
    "milkshake,pair of pants,skirt,DVD,CD,poster,basketball,umbrella,coat,plate,vase,bag of chips,bottle "
    "of water",
    "tasks": "problem,page,question,exercise,math problem,word problem,puzzle,homework problem,reading "
    "problem,"
    "science problem,spelling word,worksheet,quiz",
    "structures": "house,window,door,room,bench,street lamp,tent,bookcase,desk,school,apartment,bridge,"
    "building,"
    "locker,fence post,mailbox,tower,store,garage,cabin,bedroom,parking spot,seat,office,statue,kitchen",
    "games": "game,match,race,point,goal,home run,level,round,contest,set,tournament,token,ticket,basket,"
    "touchdown",
    "actions": "push-up,sit-up,jumping jack,lap,squat,pull-up,burpee,crunch,jump,free throw,somersault,"
    "cartwheel",
    "scouting": "leaf,pinecone,stick,stone,acorn,flower,mushroom,log,twig,branch,feather,nut,berry,egg,shell",
}
THEMES: dict[str, tuple[Noun, ...]] = {
    theme: tuple(noun(word.strip()) for word in words.split(",")) for theme, words in _THEMES.items()
}
_MIXES = {
    "food": ("fruit", "vegetables", "sweets", "baked", "meals", "nuts"),
    "snacks": ("fruit", "sweets", "meals", "nuts"),
    "things": ("toys", "collection", "school", "fruit", "sweets", "crafts", "flowers"),
    "goods": ("toys", "clothes", "household", "school", "sports", "fruit", "baked", "gadgets", "tools"),
    "animals": ("farm", "pets", "wild", "bugs", "sea"),
    "plants": ("flowers", "trees"),
    "small": ("toys", "collection", "school", "nuts", "sweets", "fruit"),
}
NOUNS: tuple[Noun, ...] = tuple(sorted({n for group in THEMES.values() for n in group}))


@cache
def themed(themes: str) -> tuple[Noun, ...]:
    """Return the distinct nouns of themes joined by "|"; mixtures such as "food" are themes, too.

    Raises:
        KeyError: no such theme.
    """
    names = [t for name in themes.split("|") for t in _MIXES.get(name, (name,))]
    return tuple(dict.fromkeys(n for name in names for n in THEMES[name]))


@cache
def group_of(item: Noun) -> tuple[Noun, ...]:
    """Return the first theme that holds the noun."""
    return next(group for group in THEMES.values() if item in group)


DOLLAR = noun("dollar")
NUMBERS = tuple(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty""".split()
)
TENS = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ORDINALS = (
    "",
    "",
    "half",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
RANKS = ("first", "second", "third", "fourth", "fifth", "sixth")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
COLOURS = (
    "red",
    "blue",
    "green",
    "yellow",
    "white",
    "black",
    "purple",
    "orange",
    "pink",
    "brown",
    "gray",
    "gold",
    "silver",
)
SIZES = ("big", "small", "large", "little", "new", "old", "plain", "striped", "fancy", "used")
SHOPS = (
    "store",
    "market",
    "mall",
    "toy store",
    "grocery store",
    "bakery",
    "bookstore",
    "supermarket",
    "corner store",
    "farmers' market",
    "gift shop",
    "department store",
    "garage sale",
    "yard sale",
    "flea market",
    "school fair",
)
PLACES = (
    "park",
    "beach",
    "library",
    "zoo",
    "school",
    "farm",
    "garden",
    "museum",
    "playground",
    "lake",
    "forest",
    "fair",
    "carnival",
    "aquarium",
    "river",
    "backyard",
    "gym",
    "office",
    "hospital",
    "train station",
    "community center",
    "town",
    "camp",
    "arcade",
    "stadium",
    "theater",
    "mountain",
    "pond",
)
EVENTS = (
    "birthday party",
    "school play",
    "picnic",
    "concert",
    "bake sale",
    "football game",
    "field trip",
    "wedding",
    "family reunion",
    "science fair",
    "talent show",
    "holiday party",
    "county fair",
    "class party",
    "fundraiser",
)
SUBJECTS = ("math", "reading", "science", "history", "spelling", "English", "art", "geography", "biology")

# Verbs by effect on what someone has: (base, third person, past).
GAIN = (
    ("buy", "buys", "bought"),
    ("find", "finds", "found"),
    ("get", "gets", "got"),
    ("receive", "receives", "received"),
    ("collect", "collects", "collected"),
    ("win", "wins", "won"),
    ("gather", "gathers", "gathered"),
    ("pick up", "picks up", "picked up"),
    ("earn", "earns", "earned"),
    ("make", "makes", "made"),
    ("purchase", "purchases", "purchased"),
    ("pick", "picks", "picked"),
    ("discover", "discovers", "discovered"),
    ("order", "orders", "ordered"),
    ("add", "adds", "added"),
)
LOSE = (
    ("lose", "loses", "lost"),
    ("sell", "sells", "sold"),
    ("give away", "gives away", "gave away"),
    ("use", "uses", "used"),
    ("drop", "drops", "dropped"),
    ("throw away", "throws away", "threw away"),
    ("donate", "donates", "donated"),
    ("break", "breaks", "broke"),
    ("trade away", "trades away", "traded away"),
    ("share", "shares", "shared"),
    ("misplace", "misplaces", "misplaced"),
    ("hand out", "hands out", "handed out"),
    ("return", "returns", "returned"),
    ("lend", "lends", "lent"),
)


@cache
def _named(name: str, girl: bool) -> Person:
    return Person(name, *(_SHE if girl else _HE), name)


@cache
def _role(role: str, she: bool) -> Person:
    word, _, pronoun = role.partition("/")
    forms = _SHE if (pronoun == "she" or (not pronoun and she)) else _HE
    return Person(f"the {word}", *forms, f"a {word}")


def person(rng: random.Random, roles: bool) -> Person:
    """Draw a person by first name; with `roles`, now and then "Mrs. Lee" or "a farmer" instead."""
    she = rng.random() < 0.5
    kind = rng.random() if roles else 1.0
    if kind < 0.05:
        title = rng.choice(("Mrs.", "Ms.", "Miss") if she else ("Mr.", "Mr.", "Mr.", "Coach"))
        return _named(f"{title} {rng.choice(SURNAMES)}", she)
    if kind < 0.11:
        return _role(rng.choice(ROLES), she)
    return _named(rng.choice(GIRLS if she else BOYS), she)

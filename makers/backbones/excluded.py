"""Names that the frozen backbones never see or hear, in English, Dutch and French.

The backbones stand for what an ear and an eye know before the experiment begins, so neither may
have met the 33 concepts of the stimulus set, under their own name, a near synonym (a hound is a
dog), a kind that a three-year-old would name so (a sparrow is a bird, a taxi a car), or as a part
of another name (a doghouse, an ijsbeer). The lists err on the side of leaving out: a name lost
costs a few training items, a name kept could teach a concept that is later tested as new.

`CONCEPTS` holds the plain words; `PATTERNS` holds, per concept and language, shell patterns
(``*`` stands for any letters) that are compared with every single word of a name after accents
and capitals are taken away. `UNRELATED` lists words that fit a pattern by accident of spelling.
"""

import re
import unicodedata
from fnmatch import fnmatchcase

from stimuli.errors import ToolkitError

LANGUAGES = ("en", "nl", "fr")
"""Languages with a list, in the order of the columns of `CONCEPTS` and `PATTERNS`."""

CONCEPTS: dict[str, tuple[str, str, str]] = {
    "bear": ("bear", "beer", "ours"),
    "bird": ("bird", "vogel", "oiseau"),
    "boat": ("boat", "boot", "bateau"),
    "car": ("car", "auto", "voiture"),
    "cat": ("cat", "kat", "chat"),
    "clock": ("clock", "klok", "horloge"),
    "cow": ("cow", "koe", "vache"),
    "dog": ("dog", "hond", "chien"),
    "elephant": ("elephant", "olifant", "éléphant"),
    "horse": ("horse", "paard", "cheval"),
    "scissors": ("scissors", "schaar", "ciseaux"),
    "sheep": ("sheep", "schaap", "mouton"),
    "umbrella": ("umbrella", "paraplu", "parapluie"),
    "airplane": ("airplane", "vliegtuig", "avion"),
    "ball": ("ball", "bal", "balle"),
    "bicycle": ("bicycle", "fiets", "vélo"),
    "bus": ("bus", "bus", "bus"),
    "butterfly": ("butterfly", "vlinder", "papillon"),
    "cactus": ("cactus", "cactus", "cactus"),
    "cake": ("cake", "taart", "gâteau"),
    "camera": ("camera", "camera", "caméra"),
    "chair": ("chair", "stoel", "chaise"),
    "crown": ("crown", "kroon", "couronne"),
    "cup": ("cup", "kopje", "tasse"),
    "fish": ("fish", "vis", "poisson"),
    "guitar": ("guitar", "gitaar", "guitare"),
    "hammer": ("hammer", "hamer", "marteau"),
    "helicopter": ("helicopter", "helikopter", "hélicoptère"),
    "key": ("key", "sleutel", "clé"),
    "mushroom": ("mushroom", "paddenstoel", "champignon"),
    "pen": ("pen", "pen", "stylo"),
    "rabbit": ("rabbit", "konijn", "lapin"),
    "tree": ("tree", "boom", "arbre"),
}
"""The 33 concepts: their plain word in English, Dutch and French."""

PATTERNS: dict[str, tuple[str, str, str]] = {
    "bear": (
        "*bear* panda koala grizzly teddy cub bruin",
        "*beer *beren beertje* berin panda* koala* grizzly*",
        "ours ourse ourson* oursin nounours panda koala grizzly teddy",
    ),
    "bird": (
        "*bird* sparrow robin dove pigeon finch goldfinch canary crow raven swallow *gull wren "
        "jay magpie cardinal fowl chick hatchling nestling avian twitter starling phoenix",
        "*vogel* mus mussen roodborst* duif duiven *duif vink vinken kanarie* kraai* raaf raven "
        "zwaluw* "
        "*meeuw* ekster* kuiken* merel* spreeuw*",
        "*oiseau* oisillon* moineau* colombe* pigeon* pinson* canari* corbeau* corneille* "
        "hirondelle* mouette* goeland* rougegorge* poussin* merle* pie volaille*",
    ),
    "boat": (
        "*boat* *ship ships shipping shipwreck shipyard canoe* kayak* ferry ferries yacht* dinghy "
        "raft gondola sail sails sailing sailor vessel* rowing catamaran barge schooner watercraft "
        "galleon submarine cruise tugboat",
        "*boot *boten bootje* *schip *schepen scheeps* kano* kajak* veer* jacht* vlot gondel "
        "*zeil* roeien roei* schuit* sloep* vaartuig* varen cruise* onderzeeer*",
        "*bateau* barque* navire* voilier* voile* canoe* kayak* canot* ferry yacht* paquebot* "
        "gondole* radeau* vaisseau* aviron* peniche* marin* embarcation* croisiere* barge*",
    ),
    "car": (
        "car automobile* auto autos automotive *taxi* cab cabs vehicle* sedan suv jeep limousine "
        "limo hatchback convertible coupe racecar racecars raceway racing streetcar streetcars "
        "sidecar boxcar railcar tramcar motorcar motorcars carport carpark carpool carwash "
        "handcar van vans minivan ev dashcam driving",
        "*auto* *taxi* voertuig* *wagen* cabrio* limousine* jeep suv bestelbus*",
        "voiture* *auto* *taxi* vehicule* berline* cabriolet* limousine* jeep suv bagnole* "
        "camionnette* wagon*",
    ),
    "cat": (
        "cat kitten* kitty kitties tomcat* wildcat* pussycat* pussy bobcat* copycat* meow catfish "
        "catnip catwalk feline* polecat* catgirl catty meerkat* hellcat*",
        "kat katje* katten* *kat *katten kater* poes* poezen* kitten* miauw*",
        "chat chatte* chaton* felin* minou* matou* miaou*",
    ),
    "clock": (
        "*clock* watch watches *watch stopwatch* wristwatch* smartwatch* watchmaker* timer* time "
        "times hour hours oclock alarm* chronometer* pendulum sundial",
        "*klok* *horloge* *wekker* *uurwerk* stopwatch* timer* tijd tijden uur uren alarm* "
        "chronometer* pendule* zonnewijzer",
        "*horloge* montre montres pendule* reveil* chronometre* chrono minuteur* minuterie* heure* "
        "temps alarme* cadran* coucou",
    ),
    "cow": (
        "*cow* cattle bull bulls ox oxen calf calves heifer* bovine bison *buffalo* taurus yak "
        "bullfight* dairy moo steer",
        "koe koeie* *koe *koeien kalf kalveren kalfje* stier stieren os ossen rund* bizon* "
        "*buffel* "
        "jak boe vee",
        "vache* taureau* boeuf* veau veaux genisse* bovin* bison* buffle* yack* yak betail",
    ),
    "dog": (
        "*dog* puppy puppies pup hound* *hound canine* poodle* terrier* spaniel* labrador* "
        "retriever* dachshund* beagle* husky chihuahua* corgi* pug mutt bark woof dalmatian*",
        "*hond* puppy* pup poedel* teckel* terrier* labrador* herdershond* hondje* blaf* woef",
        "chien* chienne* chiot* toutou* caniche* teckel* labrador* terrier* canin* epagneul* "
        "levrier* ouaf",
    ),
    "elephant": (
        "*elephant* mammoth* tusk* jumbo",
        "*olifant* mammoet* slagtand*",
        "elephant* elephanteau* mammouth*",
    ),
    "horse": (
        "*horse* pony ponies foal* mare mares stallion* steed* unicorn* equestrian* equine jockey* "
        "colt knight hobbyhorse saddle* rodeo carousel hoarse",
        "*paard* pony* veulen* merrie* hengst* ruin eenhoorn* ruiter* jockey* ros zadel*",
        "cheval chevaux chevalier* poney* jument* poulain* etalon* licorne* equestre* equitation "
        "jockey* cavalier* hippique* hippodrome* carrousel* manege* selle",
    ),
    "scissors": (
        "*scissor* shears clipper* snip snips pruner* secateur*",
        "*schaar* scharen *scharen schaartje* knip*",
        "ciseau* cisaille* secateur*",
    ),
    "sheep": (
        "*sheep* ewe ewes ram rams lamb* mutton goat* wool woolly aries shepherd* kid billy",
        "*schaap* schape* *schapen lam lammer* lammetje* ooi ooien ram rammen *geit* *bok wol "
        "herder*",
        "mouton* brebis agneau* belier* chevre* chevreau* bouc laine* berger* ovin*",
    ),
    "umbrella": (
        "*umbrella* parasol* sunshade* brolly",
        "*paraplu* *parasol* regenscherm*",
        "*parapluie* *parasol* ombrelle*",
    ),
    "airplane": (
        "*plane planes *airplane* aeroplane* seaplane* aircraft* airliner* airport* airline* jet "
        "jets jetliner* flight* takeoff departure* arrival* landing plane glider* biplane* "
        "aviation airbus aero air pilot",
        "*vliegtuig* vlieger* *vliegveld* vlucht* luchthaven* straaljager* jet zweefvliegtuig* "
        "luchtvaart* piloot piloten vliegen vertrek aankomst",
        "avion* *avion aeroplane* aeroport* aerien* vol vols jet planeur* atterrissage* decollage* "
        "aviation hydravion* depart arrivee pilote*",
    ),
    "ball": (
        "*ball* football* soccer baseball* basketball* volleyball* tennis softball* bowling "
        "billiard* pool snooker *golf* rugby cricket marble sphere orb globe bawl handball* "
        "kickball",
        "bal ballen *bal *ballen balletje* balspel* *voetbal* *basketbal* *honkbal* *volleybal* "
        "tennis* *biljart* bowling* *golf* rugby* cricket* bol bollen *bol knikker* *ballon*",
        "balle* ballon* *ball football* foot tennis* basket* volley* boule boules bille* *billard* "
        "golf* rugby cricket* bowling sphere* globe* bal bals hand",
    ),
    "bicycle": (
        "*bicycl* bike* biking biker* *bike cycle cycles cycling cyclist* *cycle motorcycl* "
        "tricycl* tandem* unicycl* *scooter* moped*",
        "*fiets* *rijwiel* tandem* *bike wieler* wielren* scooter* step *bromfiets* *motor* "
        "brommer*",
        "velo* *velo bicycl* *cycl* tandem* vtt *bike moto* scooter* trottinette* mobylette*",
    ),
    "bus": (
        "bus buses busses *bus *buses busstop coach* omnibus* minibus* trolleybus* busway",
        "bus bussen *bus busje* bushalte* busstation* *bussen autobus* touringcar*",
        "bus *bus autocar* car cars",
    ),
    "butterfly": (
        "*butterfl* moth moths monarch* swallowtail lepidoptera*",
        "*vlinder* mot motten *mot nachtvlinder*",
        "papillon* mite mites *papillon",
    ),
    "cactus": (
        "*cactus* cacti saguaro* succulent* cactaceae",
        "*cactus* cactussen vetplant*",
        "cactus* cactee* succulent*",
    ),
    "cake": (
        "*cake* birthday* pie pies tart tarts pastry pastries muffin* gateau* brownie* dessert*",
        "*cake* *taart* *gebak* koek* *koek *koeken muffin* toetje* nagerecht* verjaardag* "
        "dessert*",
        "gateau* tarte* cake* *cake patisserie* muffin* anniversaire* dessert* galette* sable*",
    ),
    "camera": (
        "*camera* webcam* *cam camcorder* photo* cctv selfie* video* film* movie* cinema*",
        "*camera* webcam* *foto* fototoestel* video* film* *film bioscoop* selfie*",
        "camera* *camera webcam* camescope* appareil* photo* cctv video* film* cinema* selfie*",
    ),
    "chair": (
        "*chair* seat* *seat stool* *stool armchair* wheelchair* throne* recliner* couch* sofa* "
        "bench*",
        "*stoel* *zetel* kruk krukken troon* *zitplaats* fauteuil* sofa* *bank zitten bankje*",
        "chaise* fauteuil* siege* tabouret* trone* canape* sofa* assis* banc*",
    ),
    "crown": (
        "*crown* tiara* diadem* coronet* king kings queen* prince* princess* royal* corona* "
        "monarchy kingdom",
        "*kroon* kronen *kroontje* tiara* diadeem* koning* koningin* prins* royal* koninklijk*",
        "couronn* tiare* diademe* roi rois reine* prince* princesse* royal* roya*",
    ),
    "cup": (
        "*cup* mug mugs goblet* chalice* trophy trophies tumbler* coffee* tea teas espresso* "
        "cappuccino* latte cocoa beverage* beaker* matcha drink* saucer* grail",
        "kop kopje* koppen kopjes *kop *kopje *kopjes beker* *beker mok mokken tas tassen kelk* "
        "bokaal* trofee* *koffie* thee* espresso* cappuccino* chocolademelk drank* drankje* *drank "
        "*thee drinken",
        "tasse* mug* gobelet* coupe coupes calice* trophee* cafe* the thes theiere* expresso* "
        "espresso* boisson* cappuccino* timbale*",
    ),
    "fish": (
        "*fish* salmon* tuna* trout* carp carps koi cod shark* piranha* anchovy anchovies herring* "
        "sardine* sushi aquarium* pisces angler* angling eel eels bass perch pike mackerel "
        "seahorse*",
        "vis* *vis *vissen *visje* haai* zalm* tonijn* forel* karper* sardien* "
        "haring* aquarium* sushi hengel* piranha* ansjovis*",
        "poisson* saumon* thon* truite* carpe* requin* piranha* anchois sardine* hareng* sushi "
        "aquarium* peche* pecheur* hamecon* morue* hippocampe*",
    ),
    "guitar": (
        "*guitar* ukulele* banjo* lute lutes bass mandolin*",
        "*gitaar* gitar* ukelele* ukulele* banjo* luit* mandoline*",
        "guitar* ukulele* banjo* luth* mandoline*",
    ),
    "hammer": (
        "*hammer* mallet* gavel* sledge*",
        "*hamer* hamers moker*",
        "marteau* maillet* masse",
    ),
    "helicopter": (
        "*copter* chopper* drone* heliport* helipad* rotorcraft",
        "*heli* *copter* drone*",
        "helico* heliport* *copter* drone*",
    ),
    "key": (
        "key keys key* *keys passkey* latchkey* hotkey* turnkey quay quays lockpick",
        "*sleutel* toets* *toets keyboard*",
        "cle cles clef clefs touche* clavier*",
    ),
    "mushroom": (
        "*mushroom* fungus fungi* toadstool* shroom* truffle* shiitake",
        "*paddenstoel* paddestoel* champignon* zwam* schimmel* truffel*",
        "champignon* fungi* truffe* bolet* amanite*",
    ),
    "pen": (
        "pen pens pencil* ballpoint* biro* crayon* marker* highlighter* quill* nib nibs stylus "
        "penmanship penknife write writing* written writer* ink",
        "pen pennen *pen *pennen pennetje* potlood* *potlood potloden stift* *stift inkt* krijt* "
        "ganzenveer* vulpen* schrijven* schrijf* schrift*",
        "stylo* crayon* plume plumes feutre* marqueur* bic encre* ecrire* ecrit* ecriture*",
    ),
    "rabbit": (
        "*rabbit* bunny bunnies hare hares *hare easter",
        "*konijn* haas hazen *haas haasje* paashaas* pasen",
        "lapin* lievre* paques",
    ),
    "tree": (
        "tree trees *tree *trees treehouse* treetop* palm palms pine pines fir firs oak oaks "
        "spruce* evergreen* deciduous conifer* forest* wood woods xmas christmas* bonsai tanabata "
        "sapling* birch* willow* maple* poplar* cedar* bamboo",
        "*boom *bomen boompje* boom* bomen* *palm palmen* den dennen* *eik eiken* spar sparren* "
        "*bos bossen* woud* hout* kerst* loof* naald* bamboe* berk* wilg* esdoorn*",
        "arbre* arbust* palmier* sapin* pin pins chene* foret* bois noel* feuillu* conifere* "
        "bambou* bouleau* saule* erable* cedre* peuplier* bonsai*",
    ),
}
"""Patterns per concept in English, Dutch and French, separated by blanks."""

UNRELATED: dict[str, frozenset[str]] = {
    "en": frozenset(
        {"beard", "bearded", "ballet", "ballot", "ballots", "ballad", "ballast", "cupid", "coward"}
        | {"peacock", "scowl", "planet", "planets", "street", "streets"}
    ),
    "nl": frozenset({"visite", "visum", "visie"}),
    "fr": frozenset({"montrer"}),
}
"""Words that fit a pattern by accident of spelling and may be used."""


def words_of(name: str) -> tuple[str, ...]:
    """Split a name into its words, without accents, capitals, digits and punctuation.

    >>> words_of("Gâteau_d'anniversaire-2")
    ('gateau', 'd', 'anniversaire')
    """
    plain = unicodedata.normalize("NFKD", name.lower()).replace("œ", "oe").replace("æ", "ae")
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(re.findall(r"[a-z]+", letters))


def is_excluded(name: str, language: str) -> bool:
    """Tell whether a name belongs to one of the 33 concepts, or is too near to it.

    Args:
        name: One or more words; blanks, hyphens and underscores all separate words.
        language: ``en``, ``nl`` or ``fr``.

    Returns:
        True when any word of the name, as it is or without a final ``s`` or ``x``, fits a pattern
        of the language, or when the words run together do (``pan cake``, ``dog_house``).

    Raises:
        ToolkitError: If there is no list for the language.

    >>> is_excluded("teddy-bear", "en"), is_excluded("ijsbeer", "nl"), is_excluded("violin", "en")
    (True, True, False)
    """
    fits = _matcher(language)
    words = words_of(name)
    return any(fits(word) for word in words) or fits("".join(words))


def _matcher(language: str) -> "_Matcher":
    if language not in LANGUAGES:
        raise ToolkitError(
            f"There is no list of excluded names for the language {language!r}.",
            given=language,
            allowed=", ".join(LANGUAGES),
            next_command="add the language to makers/backbones/excluded.py",
        )
    return _MATCHERS[language]


class _Matcher:
    """Compares single words with the patterns of one language."""

    def __init__(self, language: str) -> None:
        column = LANGUAGES.index(language)
        patterns = {pattern for row in PATTERNS.values() for pattern in row[column].split()}
        patterns |= {words_of(row[column])[0] for row in CONCEPTS.values()}
        self._wild = tuple(sorted(pattern for pattern in patterns if "*" in pattern))
        self._exact = frozenset(patterns - set(self._wild))
        self._unrelated = UNRELATED[language]

    def __call__(self, word: str) -> bool:
        forms = {word, word.removesuffix("s"), word.removesuffix("x")}
        if word in self._unrelated:
            return False
        return bool(forms & self._exact) or any(
            fnmatchcase(form, pattern) for form in forms for pattern in self._wild
        )


_MATCHERS = {language: _Matcher(language) for language in LANGUAGES}

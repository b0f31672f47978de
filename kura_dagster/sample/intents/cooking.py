"""Cooking: substitutions, meal plans, bread that went wrong and what to do with the pumpkin."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_INGREDIENT_SUBSTITUTE = Intent(
    domain="cooking",
    name="ingredient_substitute",
    weight=1.1,
    weekend=1.5,
    script=Script(
        facts=(
            {
                "missing": "buttermilk",
                "dish": "pancakes",
                "swap": "milk with a tablespoon of lemon juice to the cup",
                "how": "let it stand for ten minutes until it thickens",
                "other": "plain yoghurt thinned with milk",
                "effect": "the acid is what makes the baking soda rise",
            },
            {
                "missing": "eggs",
                "dish": "a chocolate cake",
                "swap": "apple sauce, about 60 g for each egg",
                "how": "stir it in with the other wet ingredients",
                "other": "ground flax seed soaked in water",
                "effect": "the crumb gets a little denser",
            },
            {
                "missing": "heavy cream",
                "dish": "a pasta sauce",
                "swap": "crème fraîche or whole milk with a spoon of butter",
                "how": "add it off the heat so that it doesn't curdle",
                "other": "blended silken tofu",
                "effect": "it's the fat that carries the taste",
            },
            {
                "missing": "white wine",
                "dish": "risotto",
                "swap": "stock with a dash of lemon juice or mild vinegar",
                "how": "use it in the same place, after toasting the rice",
                "other": "apple juice with vinegar",
                "effect": "you need the acid more than the alcohol",
            },
            {
                "missing": "baking powder",
                "dish": "muffins",
                "swap": "baking soda with cream of tartar, one to two",
                "how": "mix it into the flour and bake at once",
                "other": "stiffly beaten egg whites",
                "effect": "it only lifts if there's an acid",
            },
            {
                "missing": "fresh basil",
                "dish": "a tomato salad",
                "swap": "mint and a little parsley",
                "how": "tear it and add it at the end",
                "other": "frozen basil, but only in warm dishes",
                "effect": "dried basil tastes like hay here",
            },
            {
                "missing": "soy sauce",
                "dish": "a stir-fry",
                "swap": "coconut aminos or a little salt with mushroom powder",
                "how": "start with half, then taste",
                "other": "Worcestershire sauce, if fish is fine",
                "effect": "you're replacing salt and umami",
            },
            {
                "missing": "butter",
                "dish": "shortbread",
                "swap": "a firm plant margarine for baking",
                "how": "use it cold and in the same weight",
                "other": "coconut fat for a crisper bite",
                "effect": "oil would make the dough greasy",
            },
            {
                "missing": "cornstarch",
                "dish": "a gravy",
                "swap": "twice the amount of flour",
                "how": "stir it into cold water and let it boil for two minutes",
                "other": "a grated potato",
                "effect": "flour makes it cloudy but binds just as well",
            },
            {
                "missing": "tahini",
                "dish": "hummus",
                "swap": "sesame oil and a spoon of peanut butter",
                "how": "blend it in slowly",
                "other": "ground sunflower seeds",
                "effect": "it gets creamier than with oil alone",
            },
        ),
        slots={
            "why": (
                "the shop is closed",
                "I've just noticed that I'm out of it",
                "a guest is allergic",
                "I don't want to buy a whole pack",
                "I'm cooking vegan tonight",
            ),
            "amount": ("200 ml", "a cup", "two tablespoons", "100 g", "half a cup"),
        },
        contexts=(
            "I'm in the middle of making {dish}.",
            "{Why}.",
            "The recipe asks for {amount} of {missing}.",
            "Guests arrive in <an hour|two hours>.",
            "I've got eggs, flour, milk, oil and some yoghurt, but not much else.",
        ),
        openings=(
            "What can I use instead of {missing} in {dish}?",
            "I'm out of {missing}. <Any substitute?|What now?|Can I leave it out?>",
            "substitute {missing} {dish}",
            "Can I make {dish} without {missing}?",
            "The recipe calls for {missing} but {why}. <What do I take instead?|What works?>",
            "Is there a replacement for {missing} that doesn't change the taste <of {dish}|too much>?",
            "I need an alternative to {missing} for {dish}, {why}.",
            "What do I take in place of {amount} of {missing}, and how much of it?",
            "What does {missing} actually do in {dish}? {Why}, so I'd have to go without.",
            "Would {other} work instead of {missing}?",
            "Help, {dish} is half done and there's no {missing} in the house!",
            "No {missing}, no time to go shopping. How do I save {dish}?",
            "Which {missing} substitute is best for someone who's allergic to nuts? It's for {dish}.",
            "I used {swap} in place of {missing} last time and it went wrong. What's the right ratio?",
        ),
        details=(
            "It's about {amount}.",
            "It should be vegetarian.",
            "There are kids at the table.",
            "I don't mind if it tastes a little different.",
            "The oven is already on.",
        ),
        personal=("The recipe is from my neighbour {colleague}.",),
        answers=(
            "For {dish} take {swap}; {how}. <Keep in mind that {effect}.|The reason it works: {effect}.>",
            "Yes. The best stand-in for {missing} is {swap}. If you don't have that either, {other} will do.",
            "You can replace {missing} like this:\n\n- First choice: {swap}\n- Second choice: {other}\n\nIn both cases {how}.",
            "What {missing} does in {dish} can be done by something else: {effect}. So use {swap}, and {how}.",
            "I wouldn't leave it out altogether, since {effect}. With {swap} {dish} will turn out fine. One thing: {how}.",
            "It depends a little on the amount. For {amount} use {swap}. <Taste before you add salt.|Add it bit by bit and stop when the texture is right.> With {other} start with two thirds.",
        ),
        clarifications=(
            Clarification(
                "Is it for flavour only, or do you avoid {missing} because of an allergy?",
                ("{why}", "allergy", "no allergy, just none left"),
            ),
            Clarification(
                "What do you have at home?",
                ("yoghurt, lemons, oil", "the usual basics", "not much, flour, milk, eggs, an apple"),
            ),
        ),
        exchanges=(
            Exchange(
                ("What's the exact ratio?", "how much of it for {amount}?"),
                (
                    "One to one by volume is a good start; hold back a spoonful and add it if the mixture is too dry.",
                    "The same amount for most recipes. With stronger tasting things take three quarters.",
                ),
            ),
            Exchange(
                ("Will it taste different?", "do you notice it in the end?"),
                (
                    "Slightly, but hardly anyone will notice in {dish}. A pinch of salt or a few drops of lemon evens it out.",
                    "A bit milder. If you like, add a pinch of spice that's in the recipe anyway.",
                ),
            ),
            Exchange(
                ("Do I have to change the baking time?", "same oven temperature?"),
                (
                    "The temperature stays. Check five minutes earlier, since moisture and sugar differ.",
                    "Keep the temperature and test with a skewer; it may need three to five minutes more.",
                ),
            ),
            Exchange(
                ("Can I make it gluten-free as well?", "and if I also have no flour"),
                (
                    "With a ready mix for baking, yes, and a spoonful more liquid. Let it rest for ten minutes.",
                    "Ground oats or almonds work for many things, though {dish} gets more crumbly.",
                ),
            ),
            Exchange(
                ("Can I freeze the rest of it?", "how long does the leftover keep"),
                (
                    "In the fridge two days in a closed box. Freezing works, but the texture suffers a little.",
                    "Freeze it in an ice cube tray, then you have small portions.",
                ),
            ),
            Exchange(
                ("And is there a vegan option?", "what would a vegan use there"),
                (
                    "Look for the plant version with the same amount of fat. For binding, ground flax seed in water does well.",
                    "Yes: soy or oat based products, unsweetened. For {dish} the fat content matters most.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("I tried that and it curdled", "it's far too runny now"),
                (
                    "Sorry! Take it off the heat, whisk in a spoonful of cold milk or flour paste, and warm it slowly.",
                    "Don't throw it away. Add a spoon of flour, let it stand for ten minutes and see whether it thickens.",
                ),
            ),
            Exchange(
                ("I don't have that either. I said I have NOTHING at home", "none of these are in my kitchen"),
                (
                    "All right, then the simplest way: leave out {missing} and reduce the other liquid by a quarter. It won't be perfect, but it'll be edible.",
                    "Understood, sorry. Then change the plan: an omelette or pasta with oil and garlic needs none of it.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Simply leave out {missing} and add the same amount of water.",
                ("Water? In {dish}? That can't work", "I did that once and it was terrible"),
                "You're right, I'm sorry. With water it fails, as {effect}. Use {swap} instead, and {how}.",
            ),
        ),
    ),
)

_WEEKLY_MEAL_PLAN = Intent(
    domain="cooking",
    name="weekly_meal_plan",
    weight=1.3,
    weekend=1.6,
    script=Script(
        facts=(
            {
                "diet": "vegetarian",
                "base": "lentils, eggs and seasonal vegetables",
                "monday": "lentil curry with rice",
                "tuesday": "oven vegetables with feta",
                "wednesday": "shakshuka with bread",
                "thursday": "pasta with mushrooms",
                "prep": "cook a double pot of lentils on Sunday",
            },
            {
                "diet": "high-protein",
                "base": "chicken, quark and beans",
                "monday": "chicken with beans and peppers",
                "tuesday": "omelette with cottage cheese",
                "wednesday": "chili with lean beef",
                "thursday": "salmon with potatoes",
                "prep": "roast a tray of chicken thighs on Sunday",
            },
            {
                "diet": "low-budget",
                "base": "potatoes, cabbage, rice and eggs",
                "monday": "cabbage soup with potatoes",
                "tuesday": "fried rice with egg",
                "wednesday": "potato bake",
                "thursday": "bean stew",
                "prep": "boil a kilo of potatoes at once",
            },
            {
                "diet": "gluten-free",
                "base": "rice, polenta, potatoes and fish",
                "monday": "polenta with tomato sauce",
                "tuesday": "fish with potatoes",
                "wednesday": "rice bowl with vegetables",
                "thursday": "stuffed peppers",
                "prep": "make a jar of tomato sauce for two evenings",
            },
            {
                "diet": "child-friendly",
                "base": "pasta, wraps, carrots and chicken",
                "monday": "pasta with hidden vegetables",
                "tuesday": "wraps to fill yourself",
                "wednesday": "mini meatballs with mash",
                "thursday": "pancakes with spinach",
                "prep": "grate the vegetables for the sauce in advance",
            },
            {
                "diet": "vegan",
                "base": "chickpeas, tofu and root vegetables",
                "monday": "chickpea stew",
                "tuesday": "tofu stir-fry with noodles",
                "wednesday": "roasted roots with hummus",
                "thursday": "black bean tacos",
                "prep": "soak and cook a big pot of chickpeas",
            },
            {
                "diet": "Mediterranean",
                "base": "olive oil, fish, beans and greens",
                "monday": "white beans with sage",
                "tuesday": "baked fish with fennel",
                "wednesday": "couscous salad",
                "thursday": "aubergine with tomatoes",
                "prep": "marinate the vegetables the evening before",
            },
        ),
        slots={
            "people": ("two", "four", "one person", "a family of five", "three students", "two adults and a toddler"),
            "minutes": ("20", "30", "25", "40"),
            "budget": ("40", "60", "75", "90", "50"),
            "dislike": ("mushrooms", "fish", "aubergine", "coriander", "olives", "leftovers twice in a row"),
        },
        contexts=(
            "We're {people}.",
            "I come home late and have {minutes} minutes to cook at most.",
            "I'd like to spend no more than {budget} a week.",
            "We order pizza far too often.",
            "Nobody here likes {dislike}.",
            "I started a new job and have no energy left in the evenings.",
        ),
        openings=(
            "<Can you make|Please make|Make me> a {diet} meal plan for the week<?| for {people}.>",
            "What can I cook this week for {people}? <{Diet}, please.|It should be {diet}.>",
            "meal plan {diet} {minutes} minutes",
            "I need dinner ideas for Monday to Friday, {diet}, ready in {minutes} minutes.",
            "How do I plan meals for {people} with a budget of {budget} a week?",
            "Give me a shopping list for a week of {diet} dinners.",
            "I want to start meal prepping on Sundays. What works for {people}?",
            "We've become {diet} and I've run out of ideas. <Help!|What do you suggest?>",
            "Dinner for {people} tonight and the following four days, without {dislike}",
            "Is it realistic to feed {people} on {budget} a week? If so, what would the menu look like?",
            "Which dishes can I cook once and eat twice? We eat {diet}.",
            "Plan lunches for the office for a week please, {diet}, things that can be eaten cold.",
            "My doctor suggested eating more {diet} food. What would a normal week of dinners look like?",
            "I need a {diet} weekly menu for {people}, max {minutes} minutes a day.",
            "Create a menu for seven days, {diet}, no {dislike}, and use up half a cabbage.",
        ),
        details=(
            "We have a freezer.",
            "No {dislike} please.",
            "I've got an oven and one pan.",
            "Leftovers for lunch would be great.",
            "Nothing too spicy.",
            "About {minutes} minutes a day.",
        ),
        personal=(
            "I'm also cooking for {colleague} on Thursday.",
            "Send the shopping list to {email} if you can.",
        ),
        answers=(
            "Here's a {diet} week:\n\n- Monday: {monday}\n- Tuesday: {tuesday}\n- Wednesday: {wednesday}\n- Thursday: {thursday}\n- Friday: whatever is left, as a soup or a salad\n\nTo save time, {prep}.",
            "Plan around a few ingredients and repeat them: {base}. That gives {monday} on Monday, {tuesday} on Tuesday and {wednesday} in the middle of the week. <Thursday is {thursday}.|For Thursday I'd suggest {thursday}.> A tip: {prep}.",
            "With {minutes} minutes a day it works if some of it is ready: {prep}. Then {monday}, {wednesday} and {thursday} are on the table quickly. <Keep one evening free for leftovers.|One evening a week is for leftovers.>",
            "A budget of {budget} is fine if you build on {base}. Two dishes are cooked in double amounts, for instance {monday} and {wednesday}, and reappear for lunch.",
            "Shopping list for the week: {base}, plus onions, garlic, lemons, yoghurt or a plant version, rice and tinned tomatoes. From that you cook {monday}, {tuesday} and {thursday}.",
            "Start small: three planned dinners instead of seven. I'd take {monday}, {tuesday} and {wednesday}; they share most of their ingredients. When that has become a habit, add {thursday}.",
        ),
        clarifications=(
            Clarification(
                "Are there any allergies or things you don't eat at all?",
                ("no {dislike}", "none", "nuts, and we don't like {dislike}"),
            ),
            Clarification(
                "Do you want to cook every evening or prepare on the weekend?",
                ("prepare on Sunday", "every evening but quick", "a mix of both"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Can you swap {tuesday} for something else?", "we had {tuesday} last week, something different?"),
                (
                    "Sure, take a big salad with warm potatoes and an egg, or its {diet} version. It uses what's on the list anyway.",
                    "Then make a frittata or a chickpea pancake with the vegetables that are left.",
                ),
            ),
            Exchange(
                ("Could I have the shopping list sorted by aisle?", "please write the shopping list for this"),
                (
                    "Vegetables: onions, carrots, peppers, greens. Dry goods: rice, pasta, beans. Cold: eggs, yoghurt, cheese. From the base of the week: {base}.",
                    "Produce first, then {base}, then spices and tins. I'd check the cupboard before buying any spices.",
                ),
            ),
            Exchange(
                ("What can I freeze?", "does {wednesday} freeze well"),
                (
                    "Stews, sauces and cooked beans freeze well, potatoes and salads don't. Label them with the date.",
                    "Freeze it in portions and use it within three months.",
                ),
            ),
            Exchange(
                ("How do I get the kids to eat that?", "my children only eat pasta, how do I adapt it"),
                (
                    "Put the parts on the table separately and let them assemble their plate. One familiar thing should always be there.",
                    "Serve the sauce on the side, and let them choose between two vegetables.",
                ),
            ),
            Exchange(
                ("And breakfast?", "what about snacks and lunch"),
                (
                    "Overnight oats or bread with a spread for breakfast; lunch is what was cooked twice the evening before.",
                    "Keep it simple: porridge, fruit, nuts, boiled eggs or hummus, and the leftovers at noon.",
                ),
            ),
            Exchange(
                ("How much does that cost roughly?", "is that within {budget}?"),
                (
                    "About {budget} with discounters and seasonal vegetables. Cheese and fish are what drives it up.",
                    "It should be close to it. Frozen vegetables and dried beans keep it down.",
                ),
            ),
            Exchange(
                ("Can you give me the recipe for Monday?", "how do i make {monday}?"),
                (
                    "Fry an onion and garlic, add the main ingredient and spices, pour on stock, simmer for 15 to 20 minutes and season with lemon. That's {monday} in short.",
                    "In short for {monday}: chop everything first, start with the things that take longest, and finish with herbs and acid.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("I said no {dislike}", "There's {dislike} in it again!"),
                (
                    "You're right, I'm sorry. Leave that out and take courgette or beans instead, the rest stays the same.",
                    "Sorry, I overlooked it. Everything without {dislike}: {monday}, {wednesday}, {thursday}.",
                ),
            ),
            Exchange(
                ("This takes way longer than {minutes} minutes", "who has time for that on a weekday"),
                (
                    "Fair point. Then use tinned beans and pre-cut frozen vegetables, and shift one dish to the weekend.",
                    "Apologies. Let's reduce it to one-pan dishes: fry, pour on, ten minutes, done.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "For your {diet} week: bacon pasta on Monday, then barley soup with sausages, and fried fish.",
                ("That's not {diet} at all", "did you read what I wrote? {diet}!"),
                "I apologise, that missed the point. A {diet} version: {monday}, {tuesday}, {wednesday} and {thursday}.",
            ),
        ),
    ),
    translations={
        "german": Script(
            facts=(
                {
                    "art": "vegetarisch",
                    "montag": "Linsencurry mit Reis",
                    "dienstag": "Ofengemüse mit Feta",
                    "mittwoch": "Nudeln mit Pilzen",
                    "vorrat": "Linsen, Eier und Gemüse der Saison",
                    "tipp": "Koch am Sonntag einen großen Topf Linsen vor.",
                },
                {
                    "art": "günstig",
                    "montag": "Kartoffelsuppe",
                    "dienstag": "Bratreis mit Ei",
                    "mittwoch": "Bohneneintopf",
                    "vorrat": "Kartoffeln, Kohl, Reis und Eier",
                    "tipp": "Koch gleich ein Kilo Kartoffeln auf einmal.",
                },
                {
                    "art": "vegan",
                    "montag": "Kichererbseneintopf",
                    "dienstag": "Tofu mit Gemüse aus dem Wok",
                    "mittwoch": "Wurzelgemüse mit Hummus",
                    "vorrat": "Kichererbsen, Tofu und Wurzelgemüse",
                    "tipp": "Weich die Kichererbsen schon am Samstag ein.",
                },
                {
                    "art": "kinderfreundlich",
                    "montag": "Nudeln mit verstecktem Gemüse",
                    "dienstag": "Wraps zum Selberfüllen",
                    "mittwoch": "Pfannkuchen mit Spinat",
                    "vorrat": "Nudeln, Wraps, Möhren und Quark",
                    "tipp": "Raspel das Gemüse für die Soße im Voraus.",
                },
            ),
            slots={
                "personen": ("zwei Personen", "vier Personen", "eine Familie mit drei Kindern", "eine Person"),
                "minuten": ("20", "30", "25"),
                "nicht": ("Pilze", "Fisch", "Rosenkohl", "Oliven"),
            },
            contexts=(
                "Wir sind oft erst um sieben zu Hause.",
                "Ich koche für {personen}.",
                "Wir bestellen viel zu oft Pizza.",
                "Bei uns mag niemand {nicht}.",
            ),
            openings=(
                "Kannst du mir einen Essensplan für die Woche machen? Es soll {art} sein, für {personen}.",
                "Was kann ich diese Woche kochen? {Art} und in {minuten} Minuten fertig.",
                "Wochenplan Abendessen {art}",
                "Ich brauche Ideen für fünf Abendessen, {art}, ohne {nicht}.",
                "Wie plane ich das Essen für {personen} mit 60 Euro in der Woche?",
                "Schreib mir bitte eine Einkaufsliste für eine Woche, {art}.",
                "Welche Gerichte kann man einmal kochen und zweimal essen? Wir essen {art}.",
                "Ich möchte sonntags vorkochen. Was eignet sich für {personen}?",
            ),
            details=("Ein Gefrierfach haben wir.", "Bitte nicht zu scharf.", "Reste fürs Büro wären schön."),
            personal=("Am Donnerstag isst {colleague} mit.", "Schick die Liste gern an {email}."),
            answers=(
                "Gern, hier eine Woche, {art}:\n\n- Montag: {montag}\n- Dienstag: {dienstag}\n- Mittwoch: {mittwoch}\n- Donnerstag: Reste als Suppe\n- Freitag: Brotzeit mit Salat\n\n{tipp}",
                "Plan am besten um wenige Zutaten herum: {vorrat}. Daraus werden {montag}, {dienstag} und {mittwoch}. {tipp}",
                "Mit {minuten} Minuten am Tag geht das, wenn etwas vorbereitet ist. {tipp} Dann stehen {montag} und {mittwoch} schnell auf dem Tisch.",
            ),
            exchanges=(
                Exchange(
                    (
                        "Kannst du {dienstag} gegen etwas anderes tauschen?",
                        "Das hatten wir letzte Woche, gibt es etwas anderes als {dienstag}?",
                    ),
                    ("Klar, nimm eine große Gemüsepfanne mit Kartoffeln. Das passt zu den übrigen Zutaten.",),
                ),
                Exchange(
                    ("Was davon kann ich einfrieren?", "Lässt sich {montag} einfrieren?"),
                    (
                        "Eintöpfe und Soßen ja, Kartoffeln und Salate lieber nicht. Am besten in Portionen und mit Datum.",
                    ),
                ),
                Exchange(
                    ("Und was gibt es zum Frühstück?", "Hast du auch Ideen für mittags?"),
                    (
                        "Morgens Haferflocken über Nacht oder Brot mit Aufstrich, mittags das, was am Abend zuvor doppelt gekocht wurde.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Ich hatte doch geschrieben: keine {nicht}!", "Das dauert viel länger als {minuten} Minuten."),
                    (
                        "Du hast recht, tut mir leid. Lass das weg und nimm Zucchini oder Bohnen, dann geht es auch schneller.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            facts=(
                {
                    "tipo": "vegetariano",
                    "lunes": "curry de lentejas con arroz",
                    "martes": "verduras al horno con queso",
                    "miercoles": "pasta con setas",
                    "base": "lentejas, huevos y verduras de temporada",
                    "consejo": "Cuece el domingo una olla grande de lentejas.",
                },
                {
                    "tipo": "económico",
                    "lunes": "sopa de patata",
                    "martes": "arroz frito con huevo",
                    "miercoles": "guiso de alubias",
                    "base": "patatas, col, arroz y huevos",
                    "consejo": "Cuece un kilo de patatas de una vez.",
                },
                {
                    "tipo": "vegano",
                    "lunes": "guiso de garbanzos",
                    "martes": "salteado de tofu",
                    "miercoles": "tacos de frijoles negros",
                    "base": "garbanzos, tofu y verduras",
                    "consejo": "Deja los garbanzos en remojo el sábado.",
                },
                {
                    "tipo": "para niños",
                    "lunes": "pasta con verduras escondidas",
                    "martes": "tortitas rellenas al gusto",
                    "miercoles": "albóndigas con puré",
                    "base": "pasta, tortitas, zanahorias y pollo",
                    "consejo": "Ralla las verduras con antelación.",
                },
            ),
            slots={
                "personas": ("dos personas", "cuatro personas", "una familia de cinco", "mí solo"),
                "minutos": ("20", "30", "25"),
                "sin": ("setas", "pescado", "aceitunas", "berenjena"),
            },
            contexts=(
                "Llegamos a casa muy tarde.",
                "Cocino para {personas}.",
                "Pedimos comida a domicilio demasiado a menudo.",
            ),
            openings=(
                "¿Me puedes hacer un menú semanal {tipo} para {personas}?",
                "¿Qué puedo cocinar esta semana? Que sea {tipo} y esté listo en {minutos} minutos.",
                "menú semanal {tipo}",
                "Necesito ideas para cinco cenas, menú {tipo}, sin {sin}.",
                "¿Cómo organizo las comidas para {personas} con 60 euros a la semana?",
                "Hazme la lista de la compra para una semana, menú {tipo}, por favor.",
                "¿Qué platos se pueden cocinar una vez y comer dos?",
                "Quiero dejar la comida preparada los domingos. ¿Qué funciona bien para {personas}?",
            ),
            details=("Tenemos congelador.", "Que no pique mucho.", "Me vendrían bien sobras para la oficina."),
            personal=("El jueves viene a cenar {colleague}.", "Mándame la lista a {email}."),
            answers=(
                "Claro, aquí tienes una semana:\n\n- Lunes: {lunes}\n- Martes: {martes}\n- Miércoles: {miercoles}\n- Jueves: sobras en forma de sopa\n- Viernes: ensalada grande con huevo o garbanzos\n\n{consejo}",
                "Lo mejor es repetir pocos ingredientes: {base}. De ahí salen {lunes}, {martes} y {miercoles}. {consejo}",
                "Con {minutos} minutos al día se puede si algo está preparado. {consejo} Así {lunes} y {miercoles} están listos enseguida.",
            ),
            exchanges=(
                Exchange(
                    (
                        "¿Puedes cambiar el martes por otra cosa?",
                        "Eso lo comimos la semana pasada, ¿algo distinto de {martes}?",
                    ),
                    ("Claro, una sartén grande de verduras con patata. Encaja con el resto de los ingredientes.",),
                ),
                Exchange(
                    ("¿Qué se puede congelar?", "¿Se congela bien {lunes}?"),
                    ("Los guisos y las salsas sí, las patatas y las ensaladas mejor no. En raciones y con la fecha.",),
                ),
                Exchange(
                    ("¿Y para el desayuno?", "¿Alguna idea para el mediodía?"),
                    ("Para desayunar, avena remojada o pan con algo; al mediodía, lo que sobró de la cena.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Te dije que sin {sin}.", "Eso tarda mucho más de {minutos} minutos."),
                    ("Tienes razón, perdona. Quítalo y usa calabacín o alubias, así además va más rápido.",),
                ),
            ),
        ),
    },
)

_BREAD_TROUBLE = Intent(
    domain="cooking",
    name="bread_trouble",
    weight=0.7,
    weekend=1.9,
    script=Script(
        facts=(
            {
                "fault": "my sourdough loaf is dense and gummy",
                "cause": "it was under-proofed or cut while still hot",
                "cure": "let the dough grow by half before shaping and wait two hours before slicing",
                "sign": "a tight crumb with a few big tunnels",
                "bread": "sourdough",
            },
            {
                "fault": "the crust is rock hard",
                "cause": "it baked too long or without steam",
                "cure": "put a tray of hot water in for the first fifteen minutes and take the loaf out ten minutes earlier",
                "sign": "a thick dark shell",
                "bread": "a country loaf",
            },
            {
                "fault": "my dough doesn't rise at all",
                "cause": "the yeast was old or the water too hot",
                "cure": "test the yeast in lukewarm water with a pinch of sugar, it has to foam in ten minutes",
                "sign": "no bubbles after an hour",
                "bread": "a white loaf",
            },
            {
                "fault": "the dough is so sticky that I can't shape it",
                "cause": "the flour can't take that much water yet, or the gluten isn't developed",
                "cure": "hold back 30 g of water and do three rounds of folding instead of adding flour",
                "sign": "it spreads like batter",
                "bread": "ciabatta",
            },
            {
                "fault": "my starter smells like nail polish remover",
                "cause": "it's hungry",
                "cure": "feed it twice a day with equal weights of flour and water until it smells like yoghurt again",
                "sign": "a grey liquid on top",
                "bread": "sourdough",
            },
            {
                "fault": "the loaf spreads flat in the oven",
                "cause": "it was over-proofed or shaped without tension",
                "cure": "shorten the last rise and tighten the surface when you shape it",
                "sign": "a pale disc rather than a ball",
                "bread": "a free-standing loaf",
            },
            {
                "fault": "the bottom is burnt and the top is pale",
                "cause": "the tray sits too low or too close to the heat",
                "cure": "bake in the middle and put a second tray underneath",
                "sign": "black underneath after 25 minutes",
                "bread": "rolls",
            },
            {
                "fault": "my brioche tastes of yeast and is dry",
                "cause": "there's too much yeast and too little time",
                "cure": "halve the yeast and let the dough rest overnight in the fridge",
                "sign": "large uneven holes",
                "bread": "brioche",
            },
        ),
        slots={
            "flour": ("strong white flour", "whole wheat", "rye", "spelt", "plain flour from the supermarket"),
            "hours": ("two hours", "four hours", "a night in the fridge", "45 minutes", "six hours"),
            "attempt": ("third", "second", "fifth", "first"),
        },
        contexts=(
            "I use {flour}.",
            "This was my {attempt} attempt.",
            "I let it rise for {hours}.",
            "My kitchen is quite cold at the moment.",
            "I follow the recipe to the gram.",
        ),
        openings=(
            "Why is it that {fault}?",
            "{Fault}. <What did I do wrong?|Any tips?|What's the reason?>",
            "{fault}, {flour}",
            "What can I do if {fault}?",
            "I want to bake {bread} but {fault}. How do I fix that?",
            "Can I still save it? {Fault}.",
            "How long should {bread} rise with {flour}? Mine had {hours}.",
            "Help with {bread} please: {sign}.",
            "My {attempt} try at {bread} this month and again {sign}. <I'm about to give up.|Is it the flour?>",
            "I need advice, {fault} although I let it rise for {hours}.",
            "Is it the oven or the dough when {fault}?",
            "Please explain why {fault}, I use {flour}.",
            "How can I tell whether {bread} is proofed enough?",
            "Should I change the flour if {fault}? At the moment it's {flour}.",
        ),
        details=(
            "It rose for {hours}.",
            "I have no dough mixer.",
            "The oven goes up to 250 degrees.",
            "It's {flour}.",
            "About 70 % water.",
        ),
        personal=("The starter is a present from {colleague}.",),
        answers=(
            "That usually means that {cause}. Next time, {cure}.",
            "{Sign}: that points to one thing: {cause}. What helps: {cure}. <Change only one thing at a time, so you see what it does.|Write down times and temperatures.>",
            "With {flour} it happens quickly. Most likely {cause}. I'd {cure}. Everything else in the recipe can stay.",
            "It's not the oven, at least not only. If {fault}, then {cause}. So {cure}. <In a cold kitchen everything takes twice as long.|A kitchen of 24 degrees makes it a lot easier.>",
            "To judge the rise, don't look at the clock: press a floured finger into the dough. If the dent comes back slowly and not completely, it's ready. In your case {cause}, so {cure}.",
            "Three things to check for {bread}:\n\n1. Is the dough at 24 to 26 °C?\n2. Has it grown by half?\n3. Does the surface hold a shape?\n\nIf {fault}, then often {cause}.",
        ),
        clarifications=(
            Clarification(
                "How warm was the dough, and how long did it rise?",
                ("{hours}, kitchen about 19 degrees", "no thermometer, {hours}", "{hours}, near the radiator"),
            ),
            Clarification(
                "How does the inside look when you cut it?",
                ("{sign}", "dense at the bottom, holes at the top", "I haven't cut it yet"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Can I let it rise overnight?", "is the fridge ok for the dough?"),
                (
                    "Yes, eight to sixteen hours at 5 °C. It slows the yeast and improves the taste. Bake it straight from the fridge.",
                    "That even helps: cold dough is easier to shape and to cut.",
                ),
            ),
            Exchange(
                ("Do I need a cast-iron pot?", "how do i get steam without a special oven"),
                (
                    "A pot with a lid is the easiest way to keep the steam in. Without one, pour a cup of boiling water on a hot tray.",
                    "You don't need one. A tray of hot water in the bottom for the first fifteen minutes is enough.",
                ),
            ),
            Exchange(
                ("How do I store the bread?", "it's stale after a day, how do I keep it fresh"),
                (
                    "In a bread box or paper bag, cut side down. Not in the fridge, that makes it stale faster. Freeze what you don't eat in two days.",
                    "Slice and freeze half of it right away. The rest keeps two or three days at room temperature.",
                ),
            ),
            Exchange(
                ("Can I replace half of it with whole wheat?", "what changes with {flour}?"),
                (
                    "Yes, with five to ten per cent more water and a slightly shorter rise.",
                    "It takes up more water and rises faster, so go by the look and not by the clock.",
                ),
            ),
            Exchange(
                ("How much salt and yeast is right?", "is 7 g of yeast too much for 500 g?"),
                (
                    "Two per cent salt, that's 10 g to 500 g of flour. For an overnight dough 1 g of dry yeast is plenty.",
                    "For a long rise yes. 7 g is meant for an hour; overnight take a seventh of it.",
                ),
            ),
            Exchange(
                ("How do I know it's done inside?", "which temperature should it have in the middle"),
                (
                    "Knock on the bottom, it should sound hollow. With a thermometer 96 to 98 °C in the middle.",
                    "About 97 °C inside. Rich doughs like brioche are done at 92.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Did all that. Same result, {fault}", "baked again today and it's no better"),
                (
                    "I'm sorry, that's frustrating. Then check the oven with a thermometer; many are 20 degrees off, and that alone explains it.",
                    "Let's change one big thing: another flour with at least 12 % protein. If it works with that, it was never your technique.",
                ),
            ),
            Exchange(
                ("now it's the other way round, far too soft", "that made it worse!"),
                (
                    "Sorry. Go halfway: half of the change I suggested, and keep the rest as it was.",
                    "Then we overdid it. Take 20 g less water and shorten the last rise by a quarter.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Add twice the yeast and use boiling water, then it will rise.",
                ("Doesn't boiling water kill yeast?", "that would kill the yeast, no?"),
                "You're right, I'm sorry: above 45 °C yeast dies. Use lukewarm water. The likely cause is that {cause}.",
            ),
        ),
    ),
)

_PUMPKIN_LEFTOVERS = Intent(
    domain="cooking",
    name="pumpkin_leftovers",
    weight=0.0,
    script=Script(
        facts=(
            {
                "pumpkin": "two carved pumpkins",
                "idea": "a creamy soup with ginger",
                "second": "pumpkin muffins",
                "warn": "carved ones only count as food if they've been out for less than a day and smell fresh",
            },
            {
                "pumpkin": "half a Hokkaido",
                "idea": "oven wedges with feta",
                "second": "a risotto",
                "warn": "the skin can be eaten, so don't bother peeling it",
            },
            {
                "pumpkin": "a butternut of two kilos",
                "idea": "lasagne with sage",
                "second": "hummus",
                "warn": "peel it with a sturdy peeler after three minutes in the microwave",
            },
            {
                "pumpkin": "the flesh from four lanterns",
                "idea": "a big pot of curry",
                "second": "puree for the freezer",
                "warn": "lantern pumpkins are watery, so roast them first",
            },
            {
                "pumpkin": "a bowl full of pumpkin seeds",
                "idea": "roasted seeds with smoked paprika",
                "second": "a seed brittle",
                "warn": "dry them well or they steam instead of roasting",
            },
            {
                "pumpkin": "a litre of pumpkin puree",
                "idea": "pumpkin bread with nuts",
                "second": "gnocchi",
                "warn": "let it drain in a sieve, otherwise the dough gets too soft",
            },
            {
                "pumpkin": "three spaghetti squashes from the garden",
                "idea": "squash “noodles” with tomato sauce",
                "second": "fritters",
                "warn": "cut them crosswise for long strands",
            },
        ),
        slots={
            "event": ("Halloween", "our school party", "the harvest fair", "a carving evening with neighbours"),
            "days": ("two days", "since Saturday", "a day", "three days"),
            "taste": ("sweet", "savoury", "vegan", "not too spicy", "for kids"),
        },
        contexts=(
            "We have {pumpkin} left from {event}.",
            "I don't want to throw it all away.",
            "My kids are already sick of soup.",
            "It's been on the balcony for {days}.",
            "The freezer is nearly full.",
        ),
        openings=(
            "What can I <do|make> with {pumpkin} after {event}?",
            "I have {pumpkin} left over. <Recipes?|Any ideas apart from soup?|What would you cook?>",
            "leftover pumpkin recipes {taste}",
            "Can you still eat a carved pumpkin that has been outside for {days}?",
            "How do I freeze {pumpkin}?",
            "Pumpkin ideas please, {taste}, we've got {pumpkin}.",
            "How long does pumpkin keep once it's cut? It's from {event}.",
            "I need to use up {pumpkin} <this week|by the weekend>.",
            "Is it possible to bake with {pumpkin}? Something {taste}.",
            "Give me a recipe for {idea} with {pumpkin}.",
            "Do I have to peel it? We've still got {pumpkin}.",
            "How do I roast the seeds of our {event} pumpkins?",
            "After {event} we're sitting on {pumpkin}. Soup again or is there something better?",
            "Turn {pumpkin} into something that's {taste}!",
        ),
        details=(
            "I've got an oven and a blender.",
            "No coconut milk please.",
            "We're four.",
            "It should be {taste}.",
            "Nothing that takes hours.",
        ),
        personal=("Half of it goes to my neighbour {colleague}.",),
        answers=(
            "With {pumpkin} I'd make {idea}: roast the flesh at 200 °C for 30 minutes first, that gives it taste. For the rest, {second}. Keep in mind that {warn}.",
            "Two ideas that aren't the usual: {idea} today and {second} for the freezer. <Pumpkin likes acid, so finish with lemon or vinegar.|A little smoked paprika suits both.>",
            "First make sure that it's still good: {warn}. Then cut it up, roast it and use it for {idea}.",
            "To freeze it, roast the pieces, mash them and pack portions of 300 g; they keep for eight months. From one portion you can make {second} at any time.",
            "For something {taste} try {idea}. You need an onion, garlic, stock and whatever spices you like, and it's done in 40 minutes. <Leftovers become {second}.|The next day it turns into {second}.>",
            "Seeds: rinse, dry, toss with oil and salt, 15 minutes at 170 °C. Flesh: {idea}. Skin of small kinds can stay on. And {warn}.",
        ),
        clarifications=(
            Clarification(
                "Which kind is it, a lantern pumpkin or an eating variety?",
                ("a lantern one, big and orange", "{pumpkin}", "no idea, orange"),
            ),
            Clarification("How long has it been cut open?", ("{days}", "since {event}", "just cut")),
        ),
        exchanges=(
            Exchange(
                ("How long does the puree keep?", "and in the fridge, how long?"),
                (
                    "Three to four days in the fridge, eight months in the freezer.",
                    "In a closed jar up to four days. Freeze it if you won't use it by then.",
                ),
            ),
            Exchange(
                ("What spices go with it?", "my pumpkin dishes are always bland, how do i season it"),
                (
                    "Savoury: sage, chili, cumin, smoked paprika. Sweet: cinnamon, nutmeg, ginger. And always some acid.",
                    "Roast it dark, salt it early, and finish with lemon and toasted seeds.",
                ),
            ),
            Exchange(
                ("Can the children help with that?", "is that something kids like"),
                (
                    "They can scoop and mash. With {second} you'll win over most of them.",
                    "Let them mix the dough or toss the seeds in oil, the cutting is for adults.",
                ),
            ),
            Exchange(
                ("And the seeds?", "what do I do with the seeds"),
                (
                    "Rinse, dry overnight, then 15 minutes at 170 °C with oil and salt.",
                    "Roast them with paprika for a snack, or grind them into pesto.",
                ),
            ),
            Exchange(
                ("Do you have amounts for four people?", "quantities please"),
                (
                    "For four: 800 g of pumpkin, one onion, two cloves of garlic, 600 ml of stock, and 100 ml of cream or a plant version.",
                    "Count 200 g of raw pumpkin a person as a main dish, half of it as a side.",
                ),
            ),
            Exchange(
                ("Can I put the rest on the compost?", "what about the mouldy part"),
                (
                    "Yes, cut in pieces and without candle wax. Mouldy ones go there too, but not on a plate.",
                    "If there's mould, don't eat any of it. On the compost it's welcome.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("It turned out really watery", "no taste at all, and I followed your recipe"),
                (
                    "Sorry! Lantern pumpkins are like that. Roast the flesh longer and reduce it; a spoon of tomato paste and vinegar saves the pot.",
                    "Let it simmer without a lid until it's a third less, then season with salt, acid and something smoked.",
                ),
            ),
            Exchange(
                ("Soup again? I SAID no soup", "we've had soup three times already"),
                (
                    "Right, sorry. Then {second}, which nobody will mistake for soup.",
                    "You did, my apologies. How about {idea} or {second}?",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Carved pumpkins keep for weeks, you can cook with it at any time.",
                (
                    "Outdoors with a candle inside? I don't think that's safe",
                    "it has black spots already, so that can't be right",
                ),
                "You're right, I'm sorry: {warn}. If there are spots or slime, it belongs on the compost.",
            ),
        ),
    ),
)

INTENTS = (_INGREDIENT_SUBSTITUTE, _WEEKLY_MEAL_PLAN, _BREAD_TROUBLE, _PUMPKIN_LEFTOVERS)

"""Small repairs, decorating and plants: what people ask about their own four walls."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_FIX_DRIPPING_TAP = Intent(
    domain="home",
    name="fix_dripping_tap",
    weight=0.8,
    weekend=1.6,
    script=Script(
        facts=(
            {
                "tap": "kitchen mixer tap",
                "sign": "it drips from the spout",
                "part": "the ceramic cartridge",
                "work": "pull off the cap, undo the small grub screw with an Allen key, lift the lever, unscrew the retaining ring and change the cartridge for the same model",
                "tool": "an Allen key and an adjustable spanner",
            },
            {
                "tap": "bathroom tap with two handles",
                "sign": "it drips even when I turn the handle as hard as I can",
                "part": "the rubber washer",
                "work": "take off the handle, unscrew the valve with a spanner, replace the washer at its end and screw it back in",
                "tool": "a screwdriver and an adjustable spanner",
            },
            {
                "tap": "kitchen tap with a swivel spout",
                "sign": "water comes out at the base of the spout",
                "part": "the O-rings",
                "work": "loosen the spout's screw or collar, lift the spout off, swap the O-rings and grease the new ones with silicone grease",
                "tool": "a screwdriver and a small pick",
            },
            {
                "tap": "shower mixer",
                "sign": "it keeps dripping for hours after a shower",
                "part": "the cartridge",
                "work": "remove the handle and the cover plate, pull the cartridge straight out, clean the seat and push in a new one the same way round",
                "tool": "a screwdriver and an Allen key",
            },
            {
                "tap": "garden tap",
                "sign": "it leaks around the spindle when it's open",
                "part": "the packing under the gland nut",
                "work": "tighten the gland nut by an eighth of a turn, and if that isn't enough, undo it and wind some PTFE packing round the spindle",
                "tool": "an adjustable spanner and PTFE packing",
            },
            {
                "tap": "basin tap",
                "sign": "the jet goes sideways and it drips afterwards",
                "part": "the aerator",
                "work": "unscrew the aerator at the end of the spout, leave it in vinegar overnight, rinse it and screw it back on with its seal",
                "tool": "a cloth and a pair of pliers",
            },
        ),
        slots={
            "since": ("since yesterday", "for weeks", "since the weekend", "for about a month"),
            "rate": ("a drop every second", "about a cup an hour", "a drop every few seconds", "a thin trickle"),
            "home": ("a rented flat", "an old house", "our holiday flat", "a house from the seventies"),
        },
        contexts=(
            "It's {home}.",
            "It's been dripping {since}, {rate}.",
            "I've never repaired anything <with water|like this>.",
            "The plumber can't come before <Thursday|next week>.",
            "We have very hard water.",
        ),
        openings=(
            "How do I fix a dripping {tap}?",
            "My {tap} leaks, {sign}. <What's broken?|Can I repair that myself?>",
            "<dripping tap repair|{tap} leaking|fix {tap}>",
            "The dripping is driving me mad! {Sign}.",
            "Which part do I need for my {tap}? {Sign}.",
            "How do I change {part} in a {tap}?",
            "Walk me through repairing a {tap} step by step<, please|>.",
            "In {home} I have a {tap} and {sign}. Is it the landlord's job or something for ten minutes and a spanner?",
            "Do I have to turn off the water to replace {part}?",
            "What tools do I need to repair a {tap}?",
            "I live in {home} and the {tap} has been leaking {since}. I want to try it before I call a plumber.",
            "Is {rate} from the {tap} urgent or can it wait?",
            "Why does my {tap} drip? I've already cleaned off the limescale.",
        ),
        details=(
            "I have {tool}.",
            "The shut-off valve works, I checked.",
            "I don't know the brand.",
            "It's the hot side.",
            "A video isn't possible here, so text please.",
        ),
        personal=(
            "The landlord is reachable at {email}.",
            "The tenancy is in the name of {full_name}.",
            "{colleague} lent me the tools.",
            "The caretaker should call me on {phone}.",
        ),
        answers=(
            "With a {tap} it's most likely {part}. Turn off the water, open the tap to let the rest run out and close the drain so that no screw disappears. Then {work}.",
            "You need {tool}. The steps:\n\n1. Close the shut-off valve and open the tap.\n2. Now {work}.\n3. Open the valve slowly and check for drips.\n\n<Take the old part to the shop to get the same size.|Take a photo at every step.>",
            "The usual culprit costs little: {part}. To put it right, {work}. <Don't overtighten it.|Hand-tight and a small turn more is enough.>",
            "It can wait a few days, but one drop a second wastes roughly 20 to 30 litres a day. When you're ready, shut the water off and {work}. In a rented home tell the landlord first, repairs are often their job.",
            "Before you take it apart: is the shut-off valve under the basin or on the wall working? If it is, {work}. If it isn't, use the main valve of the flat or house.",
        ),
        clarifications=(
            Clarification(
                "Does the water come from the spout, the handle or the base?",
                ("well, {sign}", "I think {sign}", "hard to tell, it's wet everywhere"),
            ),
            Clarification(
                "Is it a tap with one lever or with two handles?",
                ("it's a {tap}", "just a {tap}, nothing fancy", "not sure what you call it, a {tap}"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Where do I turn the water off?", "i can't find the shut-off valve"),
                (
                    "Look for a small valve under the sink or behind the panel, turn it clockwise. If there's none, use the main valve next to the water meter.",
                    "Usually under the basin, one for hot and one for cold. The main one is in the cellar or beside the meter.",
                ),
            ),
            Exchange(
                ("How do I know the size of the new part?", "are these parts all the same?"),
                (
                    "No, they differ by a few millimetres. Take the old one with you, or measure its diameter with a calliper.",
                    "Look for a brand name on the tap, then the manufacturer's spare parts list helps. Otherwise take the old part to the shop.",
                ),
            ),
            Exchange(
                ("What does a plumber charge for that?", "would it be cheaper to buy a new tap"),
                (
                    "It's often an hour of work plus the call-out, so the part itself is the smallest item. For a tap over 15 years old a new one may make more sense.",
                    "Prices vary a lot by region; ask for the call-out fee first. Repairing it yourself costs only the part.",
                ),
            ),
            Exchange(
                ("A screw is stuck, what now?", "i can't get the nut loose"),
                (
                    "Descale it with warm vinegar for an hour, add a little penetrating oil and wait. Hold the tap with your other hand so the pipe doesn't turn.",
                    "Don't force it. Warm it with a hairdryer, use a spanner that fits exactly and work in small turns.",
                ),
            ),
            Exchange(
                ("How do I keep it from happening again?", "how long does that last"),
                (
                    "Usually several years. Close the tap gently and descale the aerator twice a year.",
                    "In hard water areas around five years. Work the shut-off valves once a year so they don't seize.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Still dripping after I changed {part}", "I did everything and it drips exactly like before"),
                (
                    "I'm sorry. Then the seat it rests on is probably scratched or limed up. Clean it with a cloth and vinegar; a rough seat can be ground, or the whole tap replaced.",
                    "Check that the new part is exactly the same model and sits fully in. A grain of lime under it is enough to let water through.",
                ),
            ),
            Exchange(
                ("Now there's more water than before!", "help, now it's coming out at the side"),
                (
                    "Turn the water off first. Then take it apart again: a seal is most likely twisted or missing. If you can't stop it, close the main valve and call a plumber.",
                    "Sorry! Close the valve, dry everything and look whether the seal lies flat. Only then tighten it again.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Wrap sealing tape around the end of the spout, that stops the dripping.",
                (
                    "Tape on the outside can't stop water from inside, can it?",
                    "did that, it just drips through the tape",
                ),
                "You're right, sorry, that doesn't help. The seal inside has to be replaced, here {part}: {work}.",
            ),
        ),
    ),
    translations={
        "german": Script(
            slots={
                "hahn": ("Wasserhahn in der Küche", "Wasserhahn im Bad", "Einhebelmischer", "Außenwasserhahn"),
                "seit": ("seit gestern", "seit Wochen", "seit dem Wochenende"),
                "werkzeug": ("einen Schraubenzieher", "eine Rohrzange", "einen Inbusschlüssel"),
            },
            contexts=(
                "Es ist eine Mietwohnung.",
                "Das Wasser ist hier sehr kalkhaltig.",
                "Der Installateur hat erst nächste Woche Zeit.",
            ),
            openings=(
                "Mein {hahn} tropft {seit}. Was kann ich tun?",
                "Wie repariere ich einen tropfenden Wasserhahn? Ich habe <nur |>{werkzeug}.",
                "<Wasserhahn tropft|tropfenden Hahn reparieren|Dichtung wechseln, {hahn}>",
                "Der {hahn} tropft die ganze Nacht, das macht mich wahnsinnig!",
                "Muss ich das Wasser abstellen, wenn ich die Dichtung wechsle?",
                "Bitte erklären Sie mir Schritt für Schritt, wie man eine Kartusche austauscht.",
                "Ist ein tropfender {hahn} Sache des Vermieters?",
                "Ich wohne zur Miete und der {hahn} tropft {seit}. Bevor ich den Installateur rufe, würde ich es gern selbst versuchen.",
            ),
            details=("Ich habe {werkzeug} da.", "Die Marke kenne ich nicht.", "Es tropft nur auf der Warmwasserseite."),
            personal=(
                "Der Mietvertrag läuft auf {full_name}.",
                "Sie erreichen mich unter {phone}.",
                "Die Hausverwaltung schreibt mir an {email}.",
            ),
            answers=(
                "Meist ist die Dichtung oder die Kartusche verschlissen. Drehen Sie das Eckventil zu, öffnen Sie den Hahn, bis nichts mehr kommt, nehmen Sie den Griff ab und tauschen Sie das Teil gegen ein gleiches aus. Nehmen Sie das alte am besten mit ins Geschäft.",
                "So gehen Sie vor:\n\n1. Wasser abstellen und Abfluss verschließen\n2. Griff abnehmen und das Oberteil herausschrauben\n3. Dichtung oder Kartusche ersetzen, Kalk mit Essig lösen\n4. wieder zusammenbauen und langsam öffnen",
                "Ein Tropfen pro Sekunde macht am Tag rund 20 bis 30 Liter aus, es lohnt sich also. In einer Mietwohnung sollten Sie den Schaden zuerst dem Vermieter melden, denn Reparaturen sind oft seine Aufgabe.",
            ),
            exchanges=(
                Exchange(
                    ("Wo stelle ich das Wasser ab?", "Ich finde das Eckventil nicht."),
                    (
                        "Meist sitzt es unter dem Waschbecken oder der Spüle. Fehlt es, nehmen Sie den Haupthahn beim Wasserzähler.",
                    ),
                ),
                Exchange(
                    ("Was kostet das beim Installateur?", "Lohnt sich ein neuer Hahn?"),
                    (
                        "Das Teil ist billig, teuer sind Anfahrt und Arbeitszeit. Bei einem Hahn, der älter als 15 Jahre ist, lohnt sich oft ein neuer.",
                    ),
                ),
                Exchange(
                    ("Wie verhindere ich, dass es wieder passiert?", "Wie lange hält das?"),
                    (
                        "In der Regel mehrere Jahre. Drehen Sie den Hahn sanft zu und entkalken Sie den Strahlregler zweimal im Jahr.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Es tropft immer noch.", "Ich habe alles gemacht, und es hat nichts gebracht."),
                    (
                        "Das tut mir leid. Dann ist wahrscheinlich der Sitz der Dichtung verkalkt oder beschädigt. Reinigen Sie ihn mit Essig; hilft das nicht, muss er nachgeschliffen oder der Hahn ersetzt werden.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            slots={
                "grifo": ("grifo de la cocina", "grifo del baño", "grifo monomando", "grifo del jardín"),
                "desde": ("desde ayer", "desde hace semanas", "desde el fin de semana"),
                "herramienta": ("un destornillador", "una llave inglesa", "una llave Allen"),
            },
            contexts=(
                "Vivo de alquiler.",
                "Aquí el agua tiene mucha cal.",
                "El fontanero no puede venir hasta la semana que viene.",
            ),
            openings=(
                "El {grifo} gotea {desde}. ¿Qué puedo hacer?",
                "¿Cómo arreglo un grifo que gotea? Solo tengo {herramienta}.",
                "<grifo que gotea|reparar {grifo}|cambiar la junta del grifo>",
                "¡El {grifo} no para de gotear y no me deja dormir!",
                "¿Hay que cortar el agua para cambiar la junta?",
                "Explícame paso a paso cómo se cambia el cartucho de un {grifo}, por favor.",
                "¿El arreglo de un {grifo} que gotea le toca al casero?",
                "Vivo de alquiler y el {grifo} gotea {desde}. Antes de llamar al fontanero me gustaría intentarlo yo.",
            ),
            details=("Tengo {herramienta} en casa.", "No sé de qué marca es.", "Solo gotea el agua caliente."),
            personal=(
                "El contrato está a nombre de {full_name}.",
                "Mi teléfono es el {phone}.",
                "El casero me escribe a {email}.",
            ),
            answers=(
                "Lo más probable es que esté gastada la junta o el cartucho. Cierra la llave de paso, abre el grifo hasta que no salga agua, quita la maneta y cambia la pieza por otra igual. Llévate la vieja a la ferretería.",
                "Los pasos son:\n\n1. Corta el agua y tapa el desagüe.\n2. Quita la maneta y desenrosca la montura.\n3. Cambia la junta o el cartucho y limpia la cal con vinagre.\n4. Móntalo todo y abre el agua despacio.",
                "Una gota por segundo supone entre 20 y 30 litros al día, así que merece la pena. Si vives de alquiler, avisa primero al casero, porque muchas reparaciones le corresponden a él.",
            ),
            exchanges=(
                Exchange(
                    ("¿Dónde se corta el agua?", "No encuentro la llave de paso."),
                    (
                        "Suele estar debajo del lavabo o del fregadero. Si no hay, usa la llave general junto al contador.",
                    ),
                ),
                Exchange(
                    ("¿Cuánto cobra un fontanero?", "¿No es mejor comprar un grifo nuevo?"),
                    (
                        "La pieza es barata; lo caro es el desplazamiento y la mano de obra. Si el grifo tiene más de 15 años, puede compensar uno nuevo.",
                    ),
                ),
                Exchange(
                    ("¿Cómo evito que vuelva a pasar?", "¿Cuánto dura el arreglo?"),
                    (
                        "Normalmente varios años. Cierra el grifo con suavidad y quita la cal del filtro dos veces al año.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Sigue goteando igual.", "He cambiado la junta y no ha servido de nada."),
                    (
                        "Lo siento. Entonces el asiento de la junta tendrá cal o estará dañado. Límpialo con vinagre; si no basta, hay que rectificarlo o cambiar el grifo.",
                    ),
                ),
            ),
        ),
    },
)

_PAINT_WALL = Intent(
    domain="home",
    name="paint_wall",
    weight=0.8,
    weekend=1.5,
    script=Script(
        facts=(
            {
                "room": "living room",
                "surface": "white plaster",
                "target": "dark green",
                "prep": "fill the holes, sand them flush and wipe off the dust",
                "paint": "a good matt emulsion",
                "coats": "two coats",
            },
            {
                "room": "bathroom",
                "surface": "painted plaster",
                "target": "a warm white",
                "prep": "wash off soap and grease, let it dry fully and treat any mould before painting",
                "paint": "a moisture-resistant bathroom paint",
                "coats": "two thin coats",
            },
            {
                "room": "child's bedroom",
                "surface": "woodchip wallpaper",
                "target": "light blue",
                "prep": "glue down loose seams and test on a corner whether the wallpaper blisters",
                "paint": "a low-odour emulsion with low emissions",
                "coats": "two coats",
            },
            {
                "room": "hallway",
                "surface": "dark red paint",
                "target": "white",
                "prep": "wash the wall, sand glossy spots and put on a covering primer",
                "paint": "a scrubbable emulsion of high opacity",
                "coats": "one coat of primer and two of paint",
            },
            {
                "room": "kitchen",
                "surface": "greasy old emulsion",
                "target": "pale yellow",
                "prep": "degrease it with sugar soap and rinse with clear water",
                "paint": "a washable kitchen paint",
                "coats": "two coats",
            },
            {
                "room": "loft room",
                "surface": "bare plasterboard",
                "target": "off-white",
                "prep": "fill and sand the joints, remove the dust and prime it, because board soaks up paint unevenly",
                "paint": "an ordinary matt emulsion",
                "coats": "two coats after the primer",
            },
        ),
        slots={
            "size": ("12", "15", "20", "25", "30"),
            "flaw": ("streaks", "roller marks", "drips", "patches where the old colour shows", "blurry edges"),
            "time": ("one weekend", "a single day", "two evenings"),
        },
        contexts=(
            "The wall is {surface} at the moment.",
            "It's about {size} square metres.",
            "We move in on <the 1st|Friday>.",
            "Last time I got {flaw}.",
            "I have {time} for it.",
        ),
        openings=(
            "How do I paint the {room} <without {flaw}|properly>?",
            "I want to paint my {room} {target}. The wall is {surface}. <What do I need?|Where do I start?>",
            "<painting a wall {target}|paint {room}|{surface} painting tips>",
            "How much paint do I need for {size} square metres?",
            "Which paint is right for a {room}?",
            "Do I need primer on {surface}?",
            "My freshly painted {room} is full of {flaw}! What did I do wrong?",
            "Can I paint {target} over {surface}?",
            "Tell me the right order for painting a {room}: ceiling, walls, edges, what first?",
            "Is it doable to paint a {room} of {size} square metres in {time}?",
            "We're handing over the flat and the {room} has to be {target} again, with {surface} underneath. What's the least work?",
            "How do I get clean edges <at the ceiling|around the window|next to the skirting board> in the {room}?",
            "How many coats of {target} over {surface}?",
        ),
        details=(
            "I'd like to avoid strong fumes.",
            "The ceiling stays as it is.",
            "I have a roller and masking tape.",
            "Budget is tight.",
            "It's my first time.",
        ),
        personal=(
            "{colleague} is helping me on Saturday.",
            "The paint was ordered in the name of {full_name}.",
            "Send the shopping list to {email} please.",
        ),
        answers=(
            "For {surface}: {prep}. Then use {paint} and plan {coats}. <Leave four to six hours between them, or what the tin says.|Cut in the edges first, then roll wet in wet.>",
            "A litre covers about 8 to 10 square metres per coat, so for {size} square metres reckon with {size} divided by eight, times the number of coats. For the {room} I'd take {paint}.",
            "The order is ceiling, edges, walls, woodwork. In the {room}:\n\n1. Clear, cover and tape.\n2. {Prep}.\n3. Cut in one wall with a brush, roll it at once.\n4. {Coats} in all.",
            "{flaw} usually come from paint that's too thin on the roller or already half dry. Load the roller well, work in strips of a metre from top to bottom, and finish in one direction without stopping.",
            "To get to {target}, preparation is half the work: {prep}. Pull the tape off while the paint is still damp. <Daylight shows mistakes best.|Stir the paint well and mix several tins in one bucket.>",
        ),
        clarifications=(
            Clarification(
                "What is on the wall now, and which colour do you want?",
                ("{surface}, it should be {target}", "{surface}", "{target}. Not sure what's underneath"),
            ),
            Clarification(
                "Are there damp patches or stains on the wall?",
                ("no", "one old stain, dry", "only nicotine from the last tenant"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Which roller should I use?", "brush or roller?"),
                (
                    "A microfibre roller with a medium nap of 10 to 12 mm for normal walls, a small one for corners, a brush for edges.",
                    "Both: a 5 cm brush for edges, a 25 cm roller for the surface. Cheap ones lose fibres.",
                ),
            ),
            Exchange(
                ("How long until it's dry?", "when can I put the furniture back"),
                (
                    "Touch-dry after two to four hours, ready for another coat after four to six. Wait a day or two before moving furniture against it.",
                    "It takes about a day to be dry and a few weeks to harden fully, so don't scrub it before then.",
                ),
            ),
            Exchange(
                ("How do I clean the tools?", "can I keep the roller until tomorrow"),
                (
                    "Overnight it's enough to wrap it airtight in a plastic bag. For cleaning, scrape off the paint and rinse with lukewarm water.",
                    "Wrap it in cling film. Emulsion washes out with water, but scrape most of it into the tin first.",
                ),
            ),
            Exchange(
                ("Do I need to open the windows?", "is the smell harmful?"),
                (
                    "Yes, air the room well while it dries, without a strong draught on the wall. Low-emission paints smell less.",
                    "Ventilate well for two or three days and sleep elsewhere if the smell bothers you.",
                ),
            ),
            Exchange(
                ("What do I do with the leftover paint?", "can I store the rest?"),
                (
                    "Well closed and frost-free it keeps for years. Note colour and room on the lid. Don't pour it down the drain, take it to the recycling centre.",
                    "Fill it into a small jar for touch-ups. Dried-up remains can usually go into the household waste, liquid ones to the collection point.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("I still see {flaw} after the second coat", "It looks worse than before, {flaw} everywhere"),
                (
                    "Sorry about that. Let it dry for a day, sand lightly where it's uneven and put on one more full coat, whole walls at a time.",
                    "Then it needs a third coat, applied in one go with a full roller. Look at it only once it's dry, wet paint always looks patchy.",
                ),
            ),
            Exchange(
                ("The tape tore off the paint", "paint is peeling off in sheets when I roll"),
                (
                    "That's old distemper or a dusty base. Scrape off what's loose, prime the area and repaint it.",
                    "I'm sorry. Cut along the tape with a knife before you pull it. Where it peels, scrape, prime and fill first.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "You can skip preparation, modern paint covers {surface} in a single coat anyway.",
                ("The tin says to prime first though", "I tried that and it shines through"),
                "You're right, sorry. Without preparation it won't hold well. First {prep}, and then {coats}.",
            ),
        ),
    ),
)

_REMOVE_MOULD = Intent(
    domain="home",
    name="remove_mould",
    weight=0.9,
    weekend=1.2,
    script=Script(
        facts=(
            {
                "spot": "in the corner behind the wardrobe",
                "base": "wallpaper",
                "cause": "the outside wall is cold there and no air gets behind the furniture",
                "prevent": "move the wardrobe 5 to 10 cm away from the wall and keep the room above 18 °C",
            },
            {
                "spot": "on the silicone in the shower",
                "base": "silicone",
                "cause": "soap residue and moisture stay in the joint",
                "prevent": "rinse and wipe the joints after every shower and air the room for ten minutes",
            },
            {
                "spot": "around the bedroom window",
                "base": "painted plaster",
                "cause": "warm, moist air condenses on the cold reveal overnight",
                "prevent": "open the windows wide for five to ten minutes in the morning and wipe off the condensation",
            },
            {
                "spot": "on the bathroom ceiling",
                "base": "emulsion paint",
                "cause": "steam from the shower has nowhere to go",
                "prevent": "run the fan until half an hour after a shower, with the door closed",
            },
            {
                "spot": "behind the kitchen units",
                "base": "plaster",
                "cause": "there may be a small leak or a cold outside wall",
                "prevent": "check pipes and drain for moisture and leave a gap for air",
            },
            {
                "spot": "on the basement wall",
                "base": "masonry",
                "cause": "warm summer air condenses on the cool wall, or moisture comes through from outside",
                "prevent": "air the basement only when it's cooler outside, or use a dehumidifier",
            },
        ),
        slots={
            "area": (
                "as big as a hand",
                "about the size of a plate",
                "roughly half a square metre",
                "a few black dots",
            ),
            "since": ("since last winter", "for two weeks", "since we moved in", "every autumn"),
            "agent": ("vinegar", "bleach", "a mould spray from the shop", "alcohol"),
        },
        contexts=(
            "It's {area}.",
            "We've had it {since}.",
            "We have a <baby|toddler|cat> in the flat.",
            "I'm a tenant.",
            "The windows are <old|new and very tight>.",
        ),
        openings=(
            "How do I get rid of mould {spot}?",
            "There's mould {spot}, {area}. <Is it dangerous?|What should I do first?>",
            "<remove mould|black mould {spot}|mould on {base}>",
            "Mould {spot} {since}, and it keeps coming back! Why?",
            "Does {agent} work against mould on {base}?",
            "What causes mould {spot}?",
            "I've found black spots {spot}. <Can I just paint over it?|Is that mould?>",
            "Please tell me how to remove mould from {base} safely.",
            "My landlord says the mould {spot} is my fault because I don't air enough. How can I tell whether that's true?",
            "We air the flat twice a day and still have mould {spot} {since}. I'd like to know what's wrong.",
            "How do I stop mould from growing {spot} <in winter|again>?",
            "Should I call a professional for mould {spot} if it's {area}?",
            "Need to clean mould off {base} before visitors come, is {agent} enough?",
        ),
        details=(
            "The humidity is around <65|70|75> percent.",
            "There was no water damage that I know of.",
            "I'd like to avoid chlorine.",
            "I have asthma.",
            "It smells musty too.",
        ),
        personal=(
            "I've written to the landlord from {email}.",
            "The tenants are {full_name} and my partner.",
            "The property manager has my number, {phone}.",
        ),
        answers=(
            "Up to about half a square metre you can do it yourself. Wear gloves, goggles and an FFP2 mask, open the window, and treat the {base} with 70 to 80 percent alcohol. Let it dry; no flames or smoking nearby. To keep it away, {prevent}.",
            "The likely reason: {cause}. Clean it, but solve that too, otherwise it returns. Concretely, {prevent}.",
            "Depends on the material. Smooth surfaces can be wiped with household cleaner and then alcohol, mouldy wallpaper should be dampened and taken off, mouldy silicone cut out and renewed. In your case it's {base}. <Throw the cloths away afterwards.|Bag the waste and seal it.>",
            "Anything larger than half a square metre, caused by a leak or in the home of people with asthma or weak immunity belongs to a professional. For smaller spots remove it, and {prevent}.",
            "Don't paint over it, it grows through. Remove it first and find out why it's damp: {cause}. A hygrometer costs little; aim for 40 to 60 percent.",
        ),
        clarifications=(
            Clarification(
                "How large is the affected area, and what is underneath?",
                ("{area}, on {base}", "{area}", "hard to say, it's {spot}"),
            ),
            Clarification(
                "Does anyone in the household have asthma, allergies or a weak immune system?",
                ("no", "my daughter has asthma", "not that I know"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Is it dangerous for the baby?", "can we sleep in that room?"),
                (
                    "Small spots rarely cause acute trouble, but babies and people with asthma should sleep elsewhere until it's gone. Ask your doctor about symptoms.",
                    "Better not beside it. Keep the door closed, clean it soon and talk to a doctor if someone coughs or wheezes.",
                ),
            ),
            Exchange(
                ("How do I air properly in winter?", "is a tilted window enough?"),
                (
                    "Tilted windows mostly cool the wall. Open them wide for five to ten minutes, three or four times a day, best across the flat.",
                    "No. Short and wide is better, especially after showering, cooking and sleeping.",
                ),
            ),
            Exchange(
                ("Can I use {agent}?", "what about {agent} on it?"),
                (
                    "On {base}, check the label first, and never mix cleaners: bleach and acid give off toxic gas. Vinegar is unsuitable on lime plaster, which neutralises it.",
                    "Use one product only, with the window open. Alcohol is the simplest choice for small spots, away from flames and sparks.",
                ),
            ),
            Exchange(
                ("Who pays for it, me or the landlord?", "do I have to tell my landlord"),
                (
                    "Report it in writing with photos right away, that's important in any case. Who pays depends on the cause; a tenants' association can advise you.",
                    "Tell the landlord at once. If the building is the cause, it's usually the landlord's business, but the law differs between countries.",
                ),
            ),
            Exchange(
                ("Do I need a dehumidifier?", "would a dehumidifier solve it?"),
                (
                    "It helps while drying out after a leak or in a basement. Against a cold wall or a leak it only treats the symptom.",
                    "If the humidity stays above 60 percent despite airing, yes. Find the cause besides.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("It came back after two weeks", "cleaned it with {agent} and now it's there again"),
                (
                    "I'm sorry. Then the moisture is still there: {cause}. Have the wall's moisture measured before you clean it once more.",
                    "That means the surface was treated, but not the reason. Try this for a month: {prevent}. If it still returns, get an expert to look.",
                ),
            ),
            Exchange(
                ("The stain won't come off", "scrubbed for an hour and it's still black"),
                (
                    "Dead mould can leave a stain. On {base} it may have grown in, then this layer has to be removed and replaced.",
                    "Sorry. Don't scrub it dry, that spreads spores. If alcohol doesn't help, take that layer off or have it done.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Mix bleach with vinegar, together they kill mould best.",
                ("Doesn't that produce chlorine gas??", "isn't mixing those two dangerous?"),
                "You're right, and I apologise: never mix them, it releases toxic chlorine gas. Use one product, for instance alcohol on {base}, and ventilate well.",
            ),
        ),
    ),
    translations={
        "german": Script(
            slots={
                "stelle": (
                    "hinter dem Kleiderschrank",
                    "in der Dusche",
                    "am Schlafzimmerfenster",
                    "an der Badezimmerdecke",
                    "im Keller",
                ),
                "seit": ("seit dem letzten Winter", "seit zwei Wochen", "seit dem Einzug"),
                "mittel": ("Essig", "Chlorreiniger", "Schimmelspray"),
            },
            contexts=(
                "Wir wohnen zur Miete.",
                "Wir haben ein kleines Kind.",
                "Die Fenster sind ganz neu und sehr dicht.",
            ),
            openings=(
                "Wie entferne ich Schimmel {stelle}?",
                "Wir haben {seit} Schimmel {stelle}. Ist das gefährlich?",
                "<Schimmel entfernen|Schimmel {stelle}|Schimmel kommt immer wieder>",
                "Hilft {mittel} gegen Schimmel {stelle}?",
                "Der Schimmel {stelle} kommt immer wieder, obwohl wir täglich lüften!",
                "Woher kommt der Schimmel {stelle}?",
                "Mein Vermieter sagt, ich lüfte zu wenig. Kann der Schimmel {stelle} trotzdem am Haus liegen?",
                "Bitte sagen Sie mir, wie man richtig lüftet, damit {stelle} kein Schimmel entsteht.",
                "Kann ich die schwarzen Punkte {stelle} einfach überstreichen?",
            ),
            details=(
                "Die Luftfeuchtigkeit liegt bei 70 Prozent.",
                "Der Fleck ist etwa handgroß.",
                "Auf Chlor möchte ich verzichten.",
            ),
            personal=(
                "Ich habe dem Vermieter von {email} aus geschrieben.",
                "Mieter ist {full_name}.",
                "Meine Nummer ist {phone}.",
            ),
            answers=(
                "Kleine Flächen bis etwa einen halben Quadratmeter können Sie selbst behandeln: Handschuhe, Schutzbrille und FFP2-Maske tragen, lüften und mit 70- bis 80-prozentigem Alkohol abwischen, ohne offene Flammen in der Nähe. Die Tücher danach entsorgen.",
                "Wichtiger als das Mittel ist die Ursache. Kalte Außenwände, Möbel direkt an der Wand oder zu wenig Lüftung sind die häufigsten; auch eine undichte Leitung kommt infrage. Ein Hygrometer zeigt, ob die Luft dauerhaft über 60 Prozent feucht ist.",
                "Bitte nicht überstreichen, der Schimmel wächst durch. Befallene Tapete anfeuchten und ablösen, Silikon herausschneiden und erneuern, danach trocknen lassen. Größere Flächen gehören in die Hand einer Fachfirma.",
            ),
            exchanges=(
                Exchange(
                    ("Wie lüfte ich im Winter richtig?", "Reicht es, wenn das Fenster gekippt ist?"),
                    (
                        "Besser ist Stoßlüften: drei- bis viermal am Tag fünf bis zehn Minuten weit öffnen. Gekippte Fenster kühlen nur die Wand aus.",
                    ),
                ),
                Exchange(
                    ("Muss ich das dem Vermieter melden?", "Wer bezahlt das?"),
                    (
                        "Melden Sie es sofort schriftlich und mit Fotos. Wer zahlt, hängt von der Ursache ab; ein Mieterverein berät Sie dazu.",
                    ),
                ),
                Exchange(
                    ("Ist das für mein Kind gefährlich?", "Können wir in dem Zimmer schlafen?"),
                    (
                        "Kleine Kinder und Menschen mit Asthma sollten bis zur Beseitigung besser in einem anderen Raum schlafen. Bei Beschwerden fragen Sie Ihren Arzt.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Nach zwei Wochen war er wieder da.", "Das hat nichts gebracht, die Stelle ist wieder schwarz."),
                    (
                        "Das tut mir leid. Dann ist die Feuchtigkeit noch da. Lassen Sie die Wand messen, bevor Sie erneut reinigen.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            slots={
                "lugar": (
                    "detrás del armario",
                    "en la ducha",
                    "junto a la ventana del dormitorio",
                    "en el techo del baño",
                    "en el sótano",
                ),
                "desde": ("desde el invierno pasado", "desde hace dos semanas", "desde que nos mudamos"),
                "producto": ("vinagre", "lejía", "un espray antimoho"),
            },
            contexts=(
                "Vivimos de alquiler.",
                "Tenemos un bebé en casa.",
                "Las ventanas son nuevas y cierran muy bien.",
            ),
            openings=(
                "¿Cómo quito el moho {lugar}?",
                "Tenemos moho {lugar} {desde}. ¿Es peligroso?",
                "<quitar moho|moho {lugar}|manchas negras {lugar}>",
                "¿Sirve {producto} contra el moho {lugar}?",
                "El moho {lugar} vuelve siempre, ¡aunque ventilamos todos los días!",
                "¿Por qué sale moho {lugar}?",
                "El casero dice que ventilo poco. ¿Puede ser que el moho {lugar} venga del edificio?",
                "¿Puedo pintar encima de las manchas negras que hay {lugar}?",
            ),
            details=("La humedad ronda el 70 %.", "La mancha es como una mano.", "Prefiero no usar lejía."),
            personal=(
                "Le escribí al casero desde {email}.",
                "El contrato está a nombre de {full_name}.",
                "Mi número es el {phone}.",
            ),
            answers=(
                "Si mide menos de medio metro cuadrado puedes limpiarlo tú: guantes, gafas y mascarilla FFP2, ventana abierta y alcohol de 70 a 80 grados, lejos de cualquier llama. Tira después los paños.",
                "Más importante que el producto es la causa: paredes frías, muebles pegados a la pared, poca ventilación o una fuga. Con un higrómetro verás si la humedad pasa del 60 % de forma constante.",
                "No pintes encima, porque vuelve a salir. Retira el papel o la silicona afectados, deja secar bien y, si la zona es grande, llama a un profesional.",
            ),
            exchanges=(
                Exchange(
                    ("¿Cómo se ventila bien en invierno?", "¿Basta con abrir un poco la ventana?"),
                    (
                        "Es mejor abrir del todo entre cinco y diez minutos, tres o cuatro veces al día. Una rendija solo enfría la pared.",
                    ),
                ),
                Exchange(
                    ("¿Tengo que avisar al casero?", "¿Quién lo paga?"),
                    (
                        "Avísale enseguida por escrito y con fotos. Quién paga depende de la causa; una asociación de inquilinos puede asesorarte.",
                    ),
                ),
                Exchange(
                    ("¿Es peligroso para el bebé?", "¿Podemos dormir en esa habitación?"),
                    (
                        "Los bebés y las personas con asma deberían dormir en otra habitación hasta que se elimine. Si hay síntomas, consulta al médico.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("A las dos semanas volvió a salir.", "No ha servido de nada, está igual de negro."),
                    (
                        "Lo siento. Eso significa que la humedad sigue ahí. Haz que midan la pared antes de volver a limpiarla.",
                    ),
                ),
            ),
        ),
    },
)

_ASSEMBLE_SHELF = Intent(
    domain="home",
    name="assemble_shelf",
    weight=0.7,
    weekend=1.6,
    script=Script(
        facts=(
            {
                "shelf": "bookcase",
                "wall": "a plasterboard wall",
                "plug": "hollow-wall anchors, or screws straight into the studs",
                "drill": "a wood or metal bit without hammer action",
                "load": "about 15 kg per anchor",
            },
            {
                "shelf": "wall shelf",
                "wall": "solid brick",
                "plug": "8 mm nylon plugs with 5 mm screws",
                "drill": "an 8 mm masonry bit with hammer action",
                "load": "20 to 30 kg per fixing",
            },
            {
                "shelf": "floating shelf",
                "wall": "concrete",
                "plug": "8 mm nylon plugs made for concrete",
                "drill": "a rotary hammer with an SDS bit",
                "load": "30 kg and more per fixing, though the bracket usually allows less",
            },
            {
                "shelf": "kitchen shelf",
                "wall": "a tiled wall",
                "plug": "plugs set deep enough to sit behind the tile",
                "drill": "a tile bit without hammer until you're through the tile, then a masonry bit",
                "load": "about 15 to 20 kg per fixing",
            },
            {
                "shelf": "shelving unit",
                "wall": "hollow brick",
                "plug": "long universal plugs or injection resin with a sleeve",
                "drill": "a masonry bit without hammer action",
                "load": "about 10 to 15 kg per fixing",
            },
        ),
        slots={
            "trouble": (
                "the shelves are crooked",
                "the whole thing wobbles",
                "two screws are missing",
                "the back panel doesn't fit",
                "the holes don't line up",
                "the plug turns in the hole",
            ),
            "height": ("80 cm", "1.60 m", "two metres", "1.20 m"),
            "stuff": ("books", "records", "plates and glasses", "houseplants", "toys"),
        },
        contexts=(
            "It has to carry {stuff}.",
            "It goes on {wall}.",
            "It's {height} wide and I'm on my own.",
            "The instructions only have pictures.",
            "I've <borrowed|bought> a drill for it.",
        ),
        openings=(
            "How do I put up a {shelf} on {wall}?",
            "I'm assembling a {shelf} and {trouble}. <What now?|What did I do wrong?>",
            "<{shelf} on {wall}|hang {shelf}|assemble {shelf} help>",
            "Which plugs do I need for {wall}?",
            "How much weight can a {shelf} on {wall} hold?",
            "Which drill bit do I use for {wall}?",
            "How do I get a {shelf} level when I'm alone?",
            "Halfway through the {shelf} and {trouble}!! I don't want to take it all apart again.",
            "Do I have to fix a {shelf} to the wall? <We have small children.|It feels stable.>",
            "Explain how to hang a {shelf} for {stuff}, I've never drilled a hole.",
            "I'd like to mount a {shelf} on {wall} in our flat but I'm afraid of hitting a cable, how do I avoid that?",
            "Can I put {stuff} on a {shelf} that's fixed to {wall}?",
            "What order do I build a {shelf} in, and do I need two people?",
        ),
        details=(
            "I have a spirit level.",
            "It's a rented flat.",
            "The drill has a hammer setting.",
            "There's a socket below it.",
            "The shop is closed until Monday.",
        ),
        personal=(
            "The order was in the name of {full_name}.",
            "{colleague} can help me lift it.",
            "The missing parts should be confirmed to {email}.",
            "The delivery firm has my number {phone}.",
        ),
        answers=(
            "On {wall} use {plug}, and drill with {drill}. Mark the holes with a spirit level, check for cables and pipes with a detector first, and stay clear of the lines straight above, below and beside sockets.",
            "As a rough guide, {wall} takes {load}, provided that the fixings suit it. {Stuff} get heavy quickly, so spread the load and <use the strictest number on the packaging|put heavy things over the brackets>.",
            "Assemble the frame on the floor first and tighten the screws only loosely. Stand it up, square it by measuring both diagonals, then tighten everything and nail on the back panel. <Two people make that easier.|Lay cardboard underneath.>",
            "For a {shelf}:\n\n1. Hold the rail to the wall, level it and mark the first hole.\n2. Drill with {drill}.\n3. Fit the first fixing ({plug}), level again and mark the second hole.\n\nThat way it stays straight even alone.",
            "If {trouble}, stop and compare with the drawing: most often a part is the wrong way round. Loosen the last four screws, align the parts, and tighten in a crosswise order. A tall {shelf} must be fixed to the wall, with children in the house above all.",
        ),
        clarifications=(
            Clarification(
                "What kind of wall is it? Knock on it: does it sound hollow or solid?",
                ("{wall}, I think", "hollow", "solid. Probably {wall}"),
            ),
            Clarification(
                "What should stand on it in the end?", ("{stuff}", "mostly {stuff}", "not much. A few {stuff}")
            ),
        ),
        exchanges=(
            Exchange(
                ("How do I find cables in the wall?", "what if i hit a pipe or a cable"),
                (
                    "Use a detector, and keep away from the lines that run straight up, down and sideways from sockets and switches. If in doubt, switch off the fuse.",
                    "Scan the spot from two directions. If you do hit a water pipe, close the main valve; with a cable, switch off the fuse and call an electrician.",
                ),
            ),
            Exchange(
                ("The hole is too big, what now?", "the plug spins in the hole"),
                (
                    "Take a larger plug with a matching screw, or fill the hole with plug filler and drill again once it's hard.",
                    "Pull it out, use the next size and press it in flush. In crumbling plaster, injection resin holds best.",
                ),
            ),
            Exchange(
                ("How do I drill without dust?", "any trick against the mess?"),
                (
                    "Hold a vacuum cleaner hose just below the hole, or stick a folded sticky note underneath.",
                    "Tape an open envelope under the mark. It catches nearly everything.",
                ),
            ),
            Exchange(
                ("It's a rented flat, may I drill?", "how do I close the holes when I move out"),
                (
                    "A reasonable number of holes is usually accepted, in tiles drill into the joints if you can. Fill them with filler when you leave.",
                    "Pull out the plugs, fill the holes in two layers, sand and dab on paint. Check your lease too.",
                ),
            ),
            Exchange(
                ("A part is missing, where do I get it?", "two screws are missing from the box"),
                (
                    "Most manufacturers send missing parts free of charge; you need the item number from the instructions. Don't improvise on load-bearing parts.",
                    "Ask the shop's service desk with your receipt. Screws are easily matched in a hardware shop if you take one along.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("It came off the wall again!", "I did it like that and the plug just pulled out"),
                (
                    "I'm sorry. Take everything off it. Then the fixing didn't suit the wall; on {wall} use {plug}, in new holes a few centimetres away.",
                    "Thank goodness nothing worse happened. Don't reuse the hole. Work with {plug} and load it lightly at first.",
                ),
            ),
            Exchange(
                ("Still the same, {trouble}", "no luck, {trouble} and now I'm really annoyed"),
                (
                    "Sorry. Let's go back one step: loosen everything, check the parts against the drawing, and measure both diagonals. If they differ, the frame isn't square.",
                    "I understand. Take a picture of the drawing's step number and compare the holes in the side panels, they're often mirrored.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Any plug will hold in {wall}; simply take the ones from the box.",
                (
                    "The box says they're for another kind of wall",
                    "the shop told me there's a difference, is that wrong?",
                ),
                "You're right, I'm sorry. The fixing must suit the wall: for {wall} that's {plug}.",
            ),
        ),
    ),
)

_HOUSEPLANT_CARE = Intent(
    domain="home",
    name="houseplant_care",
    weight=0.9,
    weekend=1.3,
    script=Script(
        facts=(
            {
                "plant": "monstera",
                "sign": "the lower leaves turn yellow",
                "reason": "too much water, because the soil never dries near the roots",
                "water": "when the top 3 to 5 cm of soil are dry",
                "light": "bright without midday sun",
                "fix": "let it dry out well and tip the water out of the cover pot",
            },
            {
                "plant": "peace lily",
                "sign": "it droops all the time",
                "reason": "dry or, just as often, waterlogged roots",
                "water": "when the surface is dry",
                "light": "half-shaded",
                "fix": "feel the soil two centimetres deep before you water again",
            },
            {
                "plant": "moth orchid",
                "sign": "the flowers have dropped and the roots are brown",
                "reason": "standing water around the roots",
                "water": "about once a week by dipping, then let it drain",
                "light": "bright, ideally at an east window",
                "fix": "cut off mushy roots and repot it in orchid bark",
            },
            {
                "plant": "ficus",
                "sign": "it's losing leaves by the dozen",
                "reason": "a change of place or a draught",
                "water": "when the top layer is dry",
                "light": "bright all year round",
                "fix": "leave it in one spot away from radiators and doors",
            },
            {
                "plant": "snake plant",
                "sign": "the leaves get soft at the base",
                "reason": "rot from too much water",
                "water": "every three or four weeks in winter",
                "light": "rather bright, though it puts up with shade",
                "fix": "take it out, cut away what's soft and plant the healthy part in dry, gritty soil",
            },
            {
                "plant": "calathea",
                "sign": "the tips of the leaves go brown",
                "reason": "dry air or hard tap water",
                "water": "little and often, the soil slightly moist",
                "light": "half-shaded",
                "fix": "use rainwater or filtered water and put it in a more humid place",
            },
            {
                "plant": "pot of basil",
                "sign": "it always collapses within a week",
                "reason": "far too many seedlings in one small pot",
                "water": "from below, whenever the surface is dry",
                "light": "as sunny as possible",
                "fix": "split it into three or four pots and always harvest above a pair of leaves",
            },
        ),
        slots={
            "place": (
                "on the windowsill",
                "two metres from the window",
                "next to the radiator",
                "in the bathroom",
                "in a north-facing room",
                "on the desk",
            ),
            "often": ("every day", "once a week", "every Sunday", "whenever the leaves hang"),
            "trip": ("two weeks", "ten days", "nine days"),
        },
        contexts=(
            "It stands {place}.",
            "I water it {often}.",
            "It was a present.",
            "The heating has been on <since October|for a week>.",
            "I have a bad record with plants.",
        ),
        openings=(
            "Why is my {plant} <unhappy|looking so sad>? {Sign}.",
            "How often should I water a {plant}?",
            "<{plant} care|{plant} problem|{plant} dying help>",
            "{Sign}, what's wrong with my {plant}?",
            "Can I save a {plant} when {sign}?",
            "My {plant} stands {place} and {sign}. <Too dark?|Is it the light?|Did I drown it?>",
            "Where is the best place for a {plant}?",
            "I water my {plant} {often} and {sign}! What am I doing wrong?",
            "Tell me how to care for a {plant} <in winter|as a beginner>, please.",
            "We're away for {trip}, how do I keep the {plant} alive?",
            "Does a {plant} like it {place}?",
            "I inherited a {plant} that's far too big for its pot. When and how do I repot it?",
            "How do I know whether my {plant} gets too much or too little water?",
            "Is it ok to give a {plant} water {often} when it's {place}?",
        ),
        details=(
            "The pot has a hole.",
            "No bugs as far as I can see.",
            "Our tap water is hard.",
            "I'd hate to lose it.",
            "The cat mustn't be poisoned.",
        ),
        personal=(
            "{colleague} gave it to me when I changed teams.",
            "The nursery has my address under {full_name}.",
            "The florist wanted to write to {email}.",
        ),
        answers=(
            "With a {plant} that usually means {reason}. As a first step, {fix}. Afterwards water it {water}. <Change one thing at a time.|New leaves show whether it worked; old ones don't recover.>",
            "A {plant} likes these conditions:\n\n- light: {light}\n- water: {water}\n- feeding: little, only from spring to autumn\n\nA finger in the soil tells you more than a calendar.",
            "If you water {often}, check the soil first and go by this instead: water it {water}. Most houseplants die of too much. For now, {fix}.",
            "It depends on the light too; a {plant} wants it {light}. If it stands {place}, compare. The symptom you see is mostly down to {reason}.",
            "A {plant} usually recovers. {Fix}. Then choose a place that is {light}, and leave out fertiliser for six weeks. <Be patient, it takes a month or two.|Remove only what's completely dry.>",
        ),
        clarifications=(
            Clarification(
                "How often do you water it, and where does it stand?",
                ("{often}, {place}", "{place}. Watering {often}", "{often}, more or less"),
            ),
            Clarification(
                "Does the pot have a hole, and is the soil wet or dry right now?",
                ("yes, and wet", "no hole. The soil is dry", "it's in a cover pot, let me check. Wet"),
            ),
        ),
        exchanges=(
            Exchange(
                ("When should I repot it?", "does it need a bigger pot?"),
                (
                    "In spring, when roots come out of the bottom. Choose a pot only 2 to 4 cm wider, otherwise the soil stays wet.",
                    "If the roots circle the pot, yes. Wait until March unless the roots rot.",
                ),
            ),
            Exchange(
                ("There are tiny flies in the soil", "how do I get rid of fungus gnats"),
                (
                    "Those are fungus gnats. Let the surface dry out and put up yellow sticky cards; nematodes in the water kill the larvae.",
                    "Water from below and less often, that stops most of it. A layer of sand on the soil helps too.",
                ),
            ),
            Exchange(
                ("Is it poisonous for cats?", "is that plant safe for my dog?"),
                (
                    "Many houseplants are, to some degree. Check a list by a poison information centre for your exact plant, and put it out of reach until then.",
                    "Please look it up by its botanical name at a poison centre or ask your vet. If the animal has chewed it, call the vet.",
                ),
            ),
            Exchange(
                ("What fertiliser do I use?", "how often should I feed it"),
                (
                    "A liquid houseplant fertiliser at half the stated dose every two to four weeks from March to September. None in winter.",
                    "Not when it's sick or freshly repotted. Otherwise half dose, once or twice a month in the growing season.",
                ),
            ),
            Exchange(
                ("What do I do when I'm away for {trip}?", "can i leave it for {trip}?"),
                (
                    "Move it away from the window, water it well once and let it drain. A wick from a bucket of water keeps many plants going.",
                    "Most survive that in a cooler, shadier place. For thirsty ones ask a neighbour or use a wick.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("It's getting worse, {sign}", "did that and more leaves are gone"),
                (
                    "I'm sorry. Take it out of the pot: firm, light roots are healthy, brown mushy ones must be cut off. Then put it into fresh, loose soil.",
                    "Sorry to hear it. A plant keeps showing old damage for two or three weeks. If the roots are healthy, leave it in peace; if not, take a cutting where that's possible.",
                ),
            ),
            Exchange(
                ("No change after three weeks", "It's the same as before and I've been careful"),
                (
                    "Give it more time, houseplants hardly grow in winter. Check the light meanwhile, the place should be {light}.",
                    "Then look at the undersides of the leaves with a lamp; spider mites and thrips are easy to miss. If you find any, shower it and repeat after a week.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Give your {plant} a good shot of water every day, they can't get too much.",
                ("That's how I killed the last one", "every day? the label says otherwise"),
                "You're right, I'm sorry, that would rot the roots. Water a {plant} {water}, and {fix}.",
            ),
        ),
    ),
)

INTENTS = (_FIX_DRIPPING_TAP, _PAINT_WALL, _REMOVE_MOULD, _ASSEMBLE_SHELF, _HOUSEPLANT_CARE)

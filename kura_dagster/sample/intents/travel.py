"""Travel planning: city trips, disrupted flights, packing and entry rules."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_CITY_ITINERARY = Intent(
    domain="travel",
    name="city_itinerary",
    weight=1.6,
    weekend=1.5,
    script=Script(
        facts=(
            {
                "city": "Lisbon",
                "old": "Alfama",
                "sight": "the castle of São Jorge",
                "museum": "the tile museum",
                "food": "grilled sardines and pastéis de nata",
                "trip": "Sintra",
                "ride": "tram 28",
                "view": "Miradouro da Graça",
            },
            {
                "city": "Rome",
                "old": "Trastevere",
                "sight": "the Forum and the Colosseum",
                "museum": "the Borghese gallery",
                "food": "cacio e pepe and artichokes",
                "trip": "Tivoli",
                "ride": "the metro",
                "view": "the Janiculum hill",
            },
            {
                "city": "Copenhagen",
                "old": "Christianshavn",
                "sight": "Rosenborg castle",
                "museum": "the design museum",
                "food": "open sandwiches and cardamom buns",
                "trip": "Louisiana, the museum by the sea",
                "ride": "a rental bike",
                "view": "the Round Tower",
            },
            {
                "city": "Kyoto",
                "old": "Gion",
                "sight": "the Fushimi Inari shrine",
                "museum": "the railway museum",
                "food": "tofu dishes and matcha sweets",
                "trip": "Nara",
                "ride": "the bus",
                "view": "the wooden terrace of Kiyomizu-dera",
            },
            {
                "city": "Edinburgh",
                "old": "the Old Town",
                "sight": "the castle",
                "museum": "the National Museum of Scotland",
                "food": "haggis, or the vegetarian version",
                "trip": "North Berwick",
                "ride": "the tram",
                "view": "Arthur's Seat",
            },
            {
                "city": "Mexico City",
                "old": "Coyoacán",
                "sight": "the Templo Mayor",
                "museum": "the anthropology museum",
                "food": "tacos al pastor",
                "trip": "the pyramids of Teotihuacán",
                "ride": "the metrobús",
                "view": "the roof of the Torre Latinoamericana",
            },
            {
                "city": "Vienna",
                "old": "the Spittelberg quarter",
                "sight": "Schönbrunn palace",
                "museum": "the art history museum",
                "food": "Kaiserschmarrn and coffee house cakes",
                "trip": "the vineyards of the Wachau",
                "ride": "tram D",
                "view": "the Kahlenberg",
            },
            {
                "city": "Porto",
                "old": "Ribeira",
                "sight": "the Clérigos tower",
                "museum": "the Serralves museum",
                "food": "francesinha and port wine",
                "trip": "the Douro valley",
                "ride": "the old tram along the river",
                "view": "the upper deck of the Luís I bridge",
            },
            {
                "city": "Istanbul",
                "old": "Balat",
                "sight": "the Hagia Sophia",
                "museum": "the archaeological museum",
                "food": "a long Turkish breakfast",
                "trip": "the Princes' Islands",
                "ride": "the ferries",
                "view": "the Galata tower",
            },
            {
                "city": "Montreal",
                "old": "Old Montreal",
                "sight": "the basilica of Notre-Dame",
                "museum": "the museum of fine arts",
                "food": "bagels and poutine",
                "trip": "the Laurentians",
                "ride": "the metro",
                "view": "Mount Royal",
            },
        ),
        slots={
            "days": ("two", "three", "four", "five"),
            "who": (
                "my parents",
                "my partner",
                "two teenagers",
                "a toddler",
                "an old friend",
                "my mother, who can't walk far",
            ),
            "month": ("December", "early spring", "April", "late November", "the Christmas week", "February"),
            "likes": (
                "food and markets",
                "architecture",
                "art",
                "walking without a plan",
                "books and cafés",
                "live music",
                "quiet places",
            ),
        },
        contexts=(
            "I'm travelling with {who}.",
            "We've never been to {city}.",
            "We're more into {likes} than into ticking off sights.",
            "Flights are booked for {month}.",
            "It's a surprise for {who}.",
            "I hate queues.",
        ),
        openings=(
            "<Can you plan|Could you put together|Please plan> {days} days in {city} <for us|for me>?",
            "What should I see in {city} in {days} days<?| if I like {likes}?>",
            "{city} itinerary {days} days",
            "I'm going to {city} in {month} with {who}. <What would you recommend?|Any plan?|Ideas welcome.>",
            "Is {days} days enough for {city}, or should I add {trip}?",
            "We arrive in {city} on a Friday <afternoon|evening> and leave on Monday. What's worth doing?",
            "I need a <relaxed|rainy-day|low-budget> itinerary for {city}, {days} days, {likes}",
            "Which neighbourhood <of|in> {city} is best for a first visit with {who}?",
            "Make me a day by day plan for {city} please. We like {likes} and want at most two things a day.",
            "How would you combine {city} and {trip} in {days} days?",
            "{City} with {who}: what's realistic in a day?",
            "I've seen the usual sights of {city} already. What would you do with {days} more days?",
            "Weekend trip to {city} in {month}, good idea or too <cold|crowded|wet>?",
            "Where <do I|can we> eat well in {city} without ending up in tourist traps? We have {days} evenings.",
            "I want to surprise {who} with a trip to {city} and need a plan that includes {sight}.",
        ),
        details=(
            "We don't want to rent a car.",
            "Our hotel is near the main station.",
            "Budget is about <80|100|150> a day.",
            "Nothing before ten in the morning please.",
            "One of us is vegetarian.",
            "We like to walk.",
        ),
        personal=(
            "I'm going with {colleague}.",
            "The booking is under {full_name}.",
            "Could you mail the plan to {email}?",
        ),
        answers=(
            "Here's a relaxed plan for {city}:\n\n- Day 1: {old} in the afternoon, then {view} at sunset\n- Day 2: {sight} early, {museum} after lunch\n- Day 3: a day trip to {trip}, or markets and cafés if you'd rather stay\n\nLeave the evenings open for {food}.",
            "For {days} days in {city} I'd start in {old}, because it's best on foot and shows you the character of the place. Book {sight} in advance for a morning. <{Museum} is a good refuge when it rains.|Keep {museum} for bad weather.>",
            "With {likes} in mind: mornings in {old}, a long lunch with {food}, and one sight a day, no more. {Sight} deserves two hours, {view} the last light. You get around easily with {ride}.",
            "It's doable. Take {sight} and {museum} on one day, since they fill up early, and {old} with {view} on the other. If there's a day left, {trip} is the nicest excursion. <In {month} check the opening hours.|Trains go every half hour or so.>",
            "In {month} {city} is quiet and prices are lower, but days are short. So be outside until three: {old}, {view}, a ride on {ride}. Afterwards {museum}, and dinner with {food}.",
            "If you've seen the usual sights, go where people live: a morning in {old}, {museum} instead of {sight}, and a slow afternoon in {trip}. For eating, walk two streets away from the main square and look for a short menu.",
        ),
        clarifications=(
            Clarification(
                "Do you prefer a packed programme or plenty of free time?",
                ("free time!", "rather packed, it's only {days} days", "something in between, with {who}"),
            ),
            Clarification("Where are you staying, roughly?", ("near the station", "in {old}", "not booked yet")),
        ),
        exchanges=(
            Exchange(
                ("Do we have to book {sight} in advance?", "can i get tickets for {sight} on the spot?"),
                (
                    "Book it, ideally a week ahead and for the first slot of the day. On the spot you may wait for an hour.",
                    "In high season yes. Outside of it a ticket bought the evening before is enough.",
                ),
            ),
            Exchange(
                ("How do we get from the airport to the centre?", "best way from the airport?"),
                (
                    "Public transport is the simplest: every ten to twenty minutes, and half the price of a taxi or less. Late at night take a licensed taxi from the rank.",
                    "Take the train or the airport bus. With luggage and {who} a taxi may be worth it, ask for the fixed price first.",
                ),
            ),
            Exchange(
                ("And if it rains?", "what's the plan for bad weather"),
                (
                    "Swap that day with {museum} and covered markets. Cafés do the rest.",
                    "Then {museum}, a long lunch and a cooking class. {View} can wait for a clear hour.",
                ),
            ),
            Exchange(
                ("Which area should we stay in?", "where would you book a hotel"),
                (
                    "{Old} if you like to walk out of the door into the middle of it, a bit further out if you sleep lightly.",
                    "Near a stop of {ride}, not farther than twenty minutes from {old}. It's quieter and costs less.",
                ),
            ),
            Exchange(
                ("Is {trip} worth it?", "how do I get to {trip}?"),
                (
                    "Yes, if you leave before nine. It takes about an hour, and after two the crowds thin out again.",
                    "It is. Go by train or bus, buy the return ticket right away and plan half a day at least.",
                ),
            ),
            Exchange(
                ("What about a city card, does it pay?", "is there some kind of museum pass"),
                (
                    "It pays from three paid sights a day on, which is more than I'd plan for you. Single tickets are cheaper here.",
                    "Only if you take {ride} a lot and visit {sight} and {museum} both. Add it up before you buy.",
                ),
            ),
            Exchange(
                ("Can you make it a bit <less dense|slower>?", "that's too much for {who}, can you cut it down"),
                (
                    "Gladly: one sight in the morning, lunch, a break, and a short walk before dinner. Then {sight} and {museum} fall on separate days.",
                    "Then leave out {museum} and spend that time in {old}, where you can sit down anywhere.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("{Sight} is closed on that day, I just checked", "The plan doesn't work, {museum} is shut on Mondays"),
                (
                    "Thanks for checking, I'm sorry. Swap the two days, then everything is open.",
                    "Sorry about that. Put {trip} on that day instead and move it to the day after.",
                ),
            ),
            Exchange(
                (
                    "That's exactly the tourist stuff I said I did not want",
                    "I asked for {likes}, not for a list of sights",
                ),
                (
                    "Fair point. Then forget the sights: start in {old}, let the day follow {likes}, and see {view} on the way home.",
                    "You're right. One idea per day, all about {likes}, and everything else optional.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "For {days} days in {city} I'd rent a car at the airport, parking in the centre is easy and free.",
                (
                    "Free parking in the centre of {city}? I doubt that",
                    "We said no car. And I've read the centre is closed to traffic",
                ),
                "You're right, I apologise: a car is a burden there. Use {ride} and your feet, and the train for {trip}.",
            ),
            Mistake(
                "{Trip} is right in the centre of {city}, you can walk there in ten minutes.",
                ("On the map it's an hour away?", "no it isn't, I looked it up, it's outside the city"),
                "Sorry, I got that wrong. {Trip} is an excursion of half a day at least; {old} is the part that's central.",
            ),
        ),
    ),
    translations={
        "german": Script(
            facts=(
                {
                    "stadt": "Lissabon",
                    "viertel": "die Alfama",
                    "ziel": "das Castelo de São Jorge",
                    "museum": "das Fliesenmuseum",
                    "essen": "gegrillte Sardinen",
                    "ausflug": "Sintra",
                },
                {
                    "stadt": "Rom",
                    "viertel": "Trastevere",
                    "ziel": "das Kolosseum",
                    "museum": "die Galleria Borghese",
                    "essen": "Cacio e pepe",
                    "ausflug": "Tivoli",
                },
                {
                    "stadt": "Kopenhagen",
                    "viertel": "Christianshavn",
                    "ziel": "Schloss Rosenborg",
                    "museum": "das Designmuseum",
                    "essen": "Smørrebrød",
                    "ausflug": "Helsingør",
                },
                {
                    "stadt": "Edinburgh",
                    "viertel": "die Altstadt",
                    "ziel": "die Burg",
                    "museum": "das Nationalmuseum",
                    "essen": "Fischsuppe",
                    "ausflug": "North Berwick",
                },
                {
                    "stadt": "Porto",
                    "viertel": "die Ribeira",
                    "ziel": "den Clérigos-Turm",
                    "museum": "das Serralves-Museum",
                    "essen": "Francesinha",
                    "ausflug": "das Douro-Tal",
                },
            ),
            slots={
                "tage": ("zwei", "drei", "vier"),
                "monat": ("im Dezember", "im Frühling", "über Silvester", "Ende November"),
                "wer": ("meinen Eltern", "meiner Freundin", "zwei Kindern", "einem alten Schulfreund"),
            },
            contexts=("Ich reise mit {wer}.", "Wir waren noch nie in {stadt}.", "Wir mögen Märkte und gutes Essen."),
            openings=(
                "Kannst du mir {tage} Tage in {stadt} planen?",
                "Was sollte man in {stadt} unbedingt sehen, wenn man nur {tage} Tage hat?",
                "{stadt} Reiseplan {tage} Tage",
                "Ich fahre {monat} mit {wer} nach {stadt}. Was würdest du empfehlen?",
                "Reichen {tage} Tage für {stadt}, oder sollte man länger bleiben?",
                "Wir suchen ein ruhiges Programm für {stadt}, höchstens zwei Dinge am Tag.",
                "In welchem Viertel übernachtet man in {stadt} am besten?",
                "Lohnt sich von {stadt} aus ein Ausflug? Wir haben {tage} Tage.",
                "Wo isst man in {stadt} gut, ohne in einer Touristenfalle zu landen?",
            ),
            details=(
                "Ein Auto wollen wir nicht mieten.",
                "Bitte nichts vor zehn Uhr.",
                "Unser Hotel liegt am Bahnhof.",
            ),
            personal=("Gebucht ist auf {full_name}.", "Schick den Plan gern an {email}."),
            answers=(
                "Mein Vorschlag für {stadt}: am ersten Tag {viertel}, am zweiten morgens {ziel} und nachmittags {museum}. Wenn noch Zeit ist, lohnt sich {ausflug}. Abends gibt es {essen}.",
                "Für {tage} Tage würde ich es so aufteilen:\n\n- Tag 1: {viertel} zu Fuß\n- Tag 2: {ziel} gleich am Morgen, danach {museum}\n- danach: {ausflug} oder einfach Cafés\n\nMehr als zwei Dinge am Tag braucht es nicht.",
                "Wenn ihr zum ersten Mal in {stadt} seid, fangt in Ruhe an: {viertel} am Nachmittag und abends {essen}. Karten für {ziel} solltet ihr vorher buchen.",
            ),
            exchanges=(
                Exchange(
                    ("Und was machen wir bei Regen?", "Gibt es einen Plan für schlechtes Wetter?"),
                    ("Dann passt {museum} gut, danach eine Markthalle und ein langes Mittagessen.",),
                ),
                Exchange(
                    (
                        "Wie kommen wir vom Flughafen in die Stadt?",
                        "Wie kommt man am besten vom Flughafen ins Zentrum?",
                    ),
                    ("Am einfachsten mit der Bahn oder dem Flughafenbus, beide fahren alle zehn bis zwanzig Minuten.",),
                ),
                Exchange(
                    ("Lohnt sich eine Städtekarte?", "Brauchen wir eine Museumskarte?"),
                    ("Erst ab drei bezahlten Zielen am Tag. Für euch sind Einzelkarten günstiger.",),
                ),
            ),
            setbacks=(
                Exchange(
                    (
                        "Das ist genau das Touristenprogramm, das ich nicht wollte.",
                        "Montags ist dort geschlossen, das klappt so nicht.",
                    ),
                    (
                        "Stimmt, entschuldige. Dann tauscht die beiden Tage und lasst {museum} weg, {viertel} reicht für einen ganzen Nachmittag.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            facts=(
                {
                    "ciudad": "Lisboa",
                    "barrio": "la Alfama",
                    "lugar": "el castillo de San Jorge",
                    "museo": "el museo del azulejo",
                    "comida": "sardinas a la brasa",
                    "salida": "Sintra",
                },
                {
                    "ciudad": "Roma",
                    "barrio": "el Trastevere",
                    "lugar": "el Coliseo",
                    "museo": "la galería Borghese",
                    "comida": "cacio e pepe",
                    "salida": "Tívoli",
                },
                {
                    "ciudad": "Viena",
                    "barrio": "el barrio de Spittelberg",
                    "lugar": "el palacio de Schönbrunn",
                    "museo": "el museo de historia del arte",
                    "comida": "Kaiserschmarrn",
                    "salida": "el valle de Wachau",
                },
                {
                    "ciudad": "Ciudad de México",
                    "barrio": "Coyoacán",
                    "lugar": "el Templo Mayor",
                    "museo": "el museo de antropología",
                    "comida": "tacos al pastor",
                    "salida": "Teotihuacán",
                },
                {
                    "ciudad": "Estambul",
                    "barrio": "Balat",
                    "lugar": "Santa Sofía",
                    "museo": "el museo arqueológico",
                    "comida": "un desayuno turco",
                    "salida": "las islas Príncipe",
                },
            ),
            slots={
                "dias": ("dos", "tres", "cuatro"),
                "mes": ("en diciembre", "en primavera", "en Navidad", "a finales de noviembre"),
                "quien": ("mis padres", "mi pareja", "dos niños", "una amiga de la universidad"),
            },
            contexts=("Viajo con {quien}.", "Nunca hemos estado en {ciudad}.", "Nos gustan los mercados y comer bien."),
            openings=(
                "¿Me puedes preparar un plan de {dias} días en {ciudad}?",
                "¿Qué hay que ver en {ciudad} si solo tengo {dias} días?",
                "itinerario {ciudad} {dias} días",
                "Voy a {ciudad} {mes} con {quien}. ¿Qué nos recomiendas?",
                "¿Son suficientes {dias} días para {ciudad}?",
                "Buscamos un plan tranquilo para {ciudad}, dos cosas al día como máximo.",
                "¿En qué barrio de {ciudad} conviene alojarse?",
                "¿Dónde se come bien en {ciudad} sin caer en sitios para turistas?",
            ),
            details=(
                "No queremos alquilar coche.",
                "Nada antes de las diez, por favor.",
                "El hotel está cerca de la estación.",
            ),
            personal=("La reserva está a nombre de {full_name}.", "Mándame el plan a {email}, por favor."),
            answers=(
                "Te propongo esto para {ciudad}: el primer día {barrio}, el segundo {lugar} por la mañana y {museo} por la tarde. Si sobra tiempo, merece la pena {salida}. Para cenar, {comida}.",
                "Para {dias} días lo repartiría así:\n\n- Día 1: {barrio} a pie\n- Día 2: {lugar} temprano y después {museo}\n- Después: {salida}, o simplemente cafés\n\nNo hace falta más.",
                "Si es la primera vez en {ciudad}, empezad con calma por {barrio} y reservad con antelación {lugar}. Por la noche probad {comida}.",
            ),
            exchanges=(
                Exchange(
                    ("¿Y si llueve?", "¿Qué hacemos si hace mal tiempo?"),
                    ("Entonces {museo}, un mercado cubierto y una comida larga.",),
                ),
                Exchange(
                    ("¿Cómo llegamos del aeropuerto al centro?", "¿Cuál es la mejor forma de ir desde el aeropuerto?"),
                    ("Lo más fácil es el tren o el autobús del aeropuerto, que pasan cada diez o veinte minutos.",),
                ),
                Exchange(
                    ("¿Merece la pena una tarjeta turística?", "¿Compensa el pase de museos?"),
                    (
                        "Solo a partir de tres visitas de pago al día. En vuestro caso salen mejor las entradas sueltas.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Eso es justo lo turístico que no quería.", "Los lunes está cerrado, así no sirve."),
                    (
                        "Tienes razón, perdona. Cambiad un día por otro y dejad {museo}; con {barrio} ya llenáis una tarde.",
                    ),
                ),
            ),
        ),
    },
)

_FLIGHT_DISRUPTION = Intent(
    domain="travel",
    name="flight_disruption",
    weight=1.0,
    weekend=1.2,
    script=Script(
        slots={
            "route": (
                "from Hamburg to Madrid",
                "from Oslo to Rome",
                "from Manchester to Faro",
                "from Vienna to Athens",
                "from Dublin to Nice",
                "from Brussels to Budapest",
                "from Toronto to Paris",
            ),
            "delay": (
                "four hours",
                "five and a half hours",
                "six hours",
                "more than three hours",
                "until the next morning",
            ),
            "cause": (
                "technical reasons",
                "a strike of air traffic control",
                "missing crew",
                "bad weather",
                "no reason at all",
                "a late aircraft",
            ),
            "offer": (
                "a voucher of 100 euros",
                "a flight two days later",
                "nothing so far",
                "a refund of the fare",
                "a bus",
            ),
            "missed": (
                "a wedding",
                "my connection",
                "the first day of a course",
                "a cruise",
                "a concert we had tickets for",
            ),
        },
        contexts=(
            "I'm still at the airport.",
            "We were two adults and a child.",
            "My flight was {route}.",
            "The airline gave {cause} as the explanation.",
            "Because of it we missed {missed}.",
            "They've offered {offer}.",
        ),
        openings=(
            "My flight {route} was cancelled. <What are my rights?|What can I do?|What am I entitled to?>",
            "Can I get compensation for a delay of {delay}?",
            "<flight cancelled|flight delayed {delay}|missed connection|denied boarding> {route} compensation",
            "The airline has cancelled our flight {route} because of {cause}, and offers {offer}. Do I have to accept that?",
            "We arrived {delay} late. How much money <is that|do I get> and where do I claim it?",
            "I missed {missed} because my plane was late. <Who pays for that?|Is that my own problem?>",
            "Please help me write a claim to the airline, flight {route}, {delay} late.",
            "Do I get anything if the reason was {cause}?",
            "My suitcase didn't arrive <with me|> when I flew {route}. What should I do first?",
            "I was denied boarding, the flight {route} was overbooked. What now?",
            "Who pays for the hotel if the flight is delayed {delay}?",
            "The airline refuses to pay and blames {cause}. <Is that a valid excuse?|Can they do that?>",
            "I need to be {route} tomorrow and my flight has just been cancelled. Which options do I have?",
            "They moved my flight {route} by {delay} <a week before departure|with ten days' notice>. Can I cancel and get my money back?",
            "How long does the airline have to answer a compensation claim? I sent mine <six weeks|two months> ago.",
        ),
        details=(
            "I booked it as a package.",
            "I booked directly with the airline.",
            "I've kept all receipts.",
            "Both flights were on one booking.",
            "They only have a chatbot that doesn't help.",
        ),
        personal=(
            "The booking is in the name of {full_name}.",
            "My contact for the claim: {full_name}, {phone}.",
            "I was travelling with my colleague {colleague}.",
        ),
        answers=(
            "Within Europe a flight that arrives more than three hours late entitles you to 250 to 600 euros, depending on the distance, unless the cause was outside of the airline's control. The exact reason decides that, so ask for it in writing. Besides that, you get meals and, overnight, a hotel.",
            "If a flight is cancelled you choose between a refund and another way of getting there as soon as possible. A voucher is only an offer, you don't have to take it. <If they can't rebook you in time, you may book yourself and claim the cost.|Tell them in writing which one you choose.>",
            "Do this first:\n\n1. Ask the desk for a written confirmation of the delay and its cause.\n2. Keep receipts for food, taxi and hotel.\n3. Take a photo of the departure board.\n4. File the claim through the airline's form within a few weeks.\n\nFor {delay} you're likely entitled to a fixed sum.",
            "Technical faults and missing crew count as the airline's own risk, while storms and strikes of air traffic control usually don't. Even then they owe you care: meals, two calls, and a hotel if you have to stay overnight. So {cause} affects the compensation, not the care.",
            "For {missed} the fixed sum is all you normally get; further damage has to be proven and is deducted from it. If both flights were on one booking, the delay at the final destination counts. <With two separate bookings only the first flight does.|That makes a big difference.>",
            "Here's a short claim you can send: “On flight [number] {route} we reached our destination with a delay of {delay}. We ask for compensation under Regulation 261/2004 for each passenger within 14 days, to the account below.” Add names, booking code and receipts.",
        ),
        clarifications=(
            Clarification(
                "When did you arrive in the end, compared with the timetable?",
                ("{delay} late", "we haven't left yet", "the next day at noon"),
            ),
            Clarification(
                "Was it one booking for the whole trip, or separate tickets?",
                ("one booking", "two separate ones unfortunately", "one, through a travel site"),
            ),
        ),
        exchanges=(
            Exchange(
                ("How long do I have to claim?", "is there a deadline for this?"),
                (
                    "That depends on the country: two to six years in most of them. Sooner is better, because evidence gets lost.",
                    "Usually several years, but package tours and luggage have far shorter limits, so check those first.",
                ),
            ),
            Exchange(
                ("What if they don't answer?", "they ignore my mails. next step?"),
                (
                    "After about six weeks go to the arbitration body for air travel in your country. It's free for passengers.",
                    "Set a deadline of 14 days, then turn to arbitration or the national enforcement body. A lawyer is the last step.",
                ),
            ),
            Exchange(
                ("Do children get the full amount too?", "does it count per person or per booking"),
                (
                    "Per passenger, and children with a seat of their own count in full.",
                    "Per person. Only infants who travel free of charge are left out.",
                ),
            ),
            Exchange(
                ("Should I use one of these claim companies?", "are the claim portals any good?"),
                (
                    "They're convenient but keep 25 to 40 per cent. Write yourself first, and use one only if the airline refuses.",
                    "Try it on your own first. The form takes ten minutes, and you keep the full sum.",
                ),
            ),
            Exchange(
                ("Can I take another airline and send them the bill?", "may i book the train instead"),
                (
                    "Only after you've asked for rebooking and they can't offer anything reasonable. Document the request and choose a comparable price.",
                    "If they don't rebook you in time, yes. Keep the proof that you asked.",
                ),
            ),
            Exchange(
                ("And the luggage? It's still missing", "my bag is still somewhere, what am I entitled to"),
                (
                    "Report it at the desk and get the report's number. Until it arrives you can buy what you need at a reasonable price; keep the receipts and claim within 21 days.",
                    "File the property report before you leave the airport. Essentials are reimbursed; for a bag lost for good there's a limit of roughly 1,500 euros.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "The desk told me the opposite, they say there's no compensation",
                    "They just rejected it, {cause}, full stop",
                ),
                (
                    "I'm sorry to hear that. Ask for the rejection in writing with the exact cause; desk staff often give the short version. The arbitration body then looks at the flight's records.",
                    "Don't leave it at that. The airline has to prove the exceptional cause, and that it did all it could.",
                ),
            ),
            Exchange(
                (
                    "The form doesn't accept my booking code!",
                    "their website throws an error each time I submit the claim",
                ),
                (
                    "Then send it by e-mail and by registered letter. A claim is valid in any written form.",
                    "Sorry, that's annoying. Use the code of the operating airline, it may differ from the one where you booked.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Compensation is only due from a delay of eight hours on, so {delay} isn't enough.",
                ("I've read three hours?", "no, it's three hours on arrival in the EU"),
                "You're right, I apologise: from three hours at the final destination on. For {delay} you should file the claim.",
            ),
        ),
    ),
)

_PACKING_LIST = Intent(
    domain="travel",
    name="packing_list",
    weight=0.6,
    weekend=1.6,
    script=Script(
        facts=(
            {
                "trip": "a week of hiking in Madeira",
                "must": "broken-in boots, a rain jacket and layers",
                "skip": "an umbrella, it's too windy",
                "climate": "sun and rain take turns several times a day",
                "extra": "a head torch for the tunnels along the levadas",
            },
            {
                "trip": "ten days in Norway in winter",
                "must": "wool underwear, a down jacket and ice cleats",
                "skip": "jeans, they never dry",
                "climate": "it's dark early and between 0 and -15 °C",
                "extra": "a power bank, since cold drains batteries",
            },
            {
                "trip": "two weeks in Thailand",
                "must": "light long sleeves, sun cream and mosquito repellent",
                "skip": "a thick towel",
                "climate": "it's hot and humid, with heavy showers",
                "extra": "a scarf for temples and cold buses",
            },
            {
                "trip": "a long weekend with hand luggage only",
                "must": "one pair of shoes on your feet and one in the bag, three tops, one pair of trousers",
                "skip": "the “just in case” pieces",
                "climate": "check the forecast the evening before",
                "extra": "a fold-up bag for the way back",
            },
            {
                "trip": "a ski week with kids",
                "must": "two pairs of gloves for each child, goggles and thermal layers",
                "skip": "a second snow suit, you can dry one overnight",
                "climate": "-5 °C in the morning and slush at noon",
                "extra": "plasters and a thermos",
            },
            {
                "trip": "a business trip of three days",
                "must": "a jacket that doesn't crease, two shirts and all chargers",
                "skip": "a laptop bag beside the cabin bag",
                "climate": "meeting rooms are cold everywhere",
                "extra": "earplugs",
            },
            {
                "trip": "a cycling tour along the Danube",
                "must": "padded shorts, a repair kit and a rain cape",
                "skip": "cotton shirts",
                "climate": "the valley can be windy",
                "extra": "chamois cream and a spare tube",
            },
            {
                "trip": "a beach holiday with a baby",
                "must": "a UV suit, a tent for shade and enough nappies for two days",
                "skip": "the big buggy, take a folding one",
                "climate": "the sun is strong between eleven and four",
                "extra": "the health card and fever medicine",
            },
        ),
        slots={
            "bag": (
                "a 40 litre backpack",
                "hand luggage only",
                "one suitcase for both of us",
                "two panniers",
                "a small trolley",
            ),
            "when": ("next week", "over New Year", "in three days", "at the end of November", "in February"),
            "weight": ("8 kg", "10 kg", "20 kg", "23 kg"),
        },
        contexts=(
            "We leave {when}.",
            "I always pack too much.",
            "I only have {bag}.",
            "The limit is {weight}.",
            "It's my first time.",
        ),
        openings=(
            "What <do I need to|should I> pack for {trip}?",
            "packing list {trip}",
            "Can you make a packing list for {trip}? I have {bag}.",
            "How do I fit everything for {trip} into {bag}?",
            "I'm leaving {when} for {trip}. What do people usually forget?",
            "What can I leave at home for {trip}? My bag already weighs {weight}.",
            "Which clothes do I need for {trip}, and how many of each?",
            "Please write a checklist for {trip}, sorted by <category|what goes on top|priority>.",
            "Is {bag} realistic for {trip}?",
            "Do I need special <shoes|gear|clothing> for {trip}?",
            "I've packed for {trip} and I'm at {weight}, help me throw things out.",
            "What goes into the hand luggage and what into the suitcase for {trip}?",
            "Need something to tick off: {trip}, {when}, {bag}.",
            "Would you take medicine along for {trip}? And what else?",
        ),
        details=(
            "There's a washing machine.",
            "I get cold easily.",
            "I don't want to buy much.",
            "Two of us share the bag.",
            "I can print it.",
        ),
        personal=("I'm packing for {colleague} as well.",),
        answers=(
            "For {trip} these matter most: {must}. {Climate}, so think in layers. You can leave out {skip}. <And don't forget {extra}.|What people forget is {extra}.>",
            "Here's a checklist for {trip}:\n\n- Clothes: {must}\n- Documents: ID, insurance card, tickets offline\n- Toiletries: only small sizes, up to 100 ml in hand luggage\n- Extra: {extra}\n\nLeave at home: {skip}.",
            "With {bag} it works if you wear the heaviest pieces on the way. Count three outfits and wash once. Essential are {must}; {skip} can stay at home.",
            "To save weight start with shoes and toiletries, they're the heaviest. For {trip} keep {must}, and leave {skip}. <A luggage scale costs less than one fee for excess weight.|Put everything on the floor first and take away a third.>",
            "What goes into the hand luggage: documents, medicine, chargers, one change of clothes and {extra}. The rest, that is {must}, goes into the big bag. {Climate}.",
            "Most people forget {extra}. Otherwise for {trip}: {must}, all in zip bags by category, so you find things without unpacking.",
        ),
        clarifications=(
            Clarification("Will you be able to do laundry on the way?", ("yes, once", "no", "there's a sink")),
            Clarification(
                "How warm or cold do you expect it to be?", ("cold", "no idea, that's why I ask", "mild I hope")
            ),
        ),
        exchanges=(
            Exchange(
                ("How many pairs of shoes?", "shoes: two pairs or three?"),
                (
                    "Two: the sturdy ones on your feet, light ones in the bag.",
                    "Two pairs are enough, plus flip-flops if there's a shared shower.",
                ),
            ),
            Exchange(
                ("What about liquids in hand luggage?", "can I take my sun cream through security"),
                (
                    "Containers of up to 100 ml each in a clear bag of one litre. Some airports with new scanners allow more, but don't count on it for the way back.",
                    "Up to 100 ml per container. Larger ones go into checked luggage, or buy them there.",
                ),
            ),
            Exchange(
                ("Should I roll or fold?", "do packing cubes make sense"),
                (
                    "Roll soft things, fold shirts, and put shoes at the bottom near the wheels. Cubes mostly help to find things again.",
                    "Cubes don't save space, but order. One colour per person is handy.",
                ),
            ),
            Exchange(
                ("Which medicine would you pack?", "what belongs into a small first-aid kit"),
                (
                    "Plasters, something for pain and for the stomach, and whatever you take regularly, in the original package and in the hand luggage.",
                    "Blister plasters, a painkiller, electrolytes and a thermometer. Prescriptions with you.",
                ),
            ),
            Exchange(
                ("Do I need an adapter?", "what about power sockets there"),
                (
                    "Check the country's plug type; a universal adapter with USB covers nearly everything.",
                    "One adapter and a small power strip are enough for several devices.",
                ),
            ),
            Exchange(
                ("Could you sort it by what I need first?", "please put it in a table"),
                (
                    "On top: documents, snack, jacket. In the middle: clothes for the first two days. At the bottom: everything you need later.",
                    "Sure: first column “wear”, second “hand luggage”, third “big bag”. {Must} fall into the first and the third.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("That's still {weight} too much", "doesn't fit. I've tried three times"),
                (
                    "Then be stricter: one outfit less, travel sizes only, and nothing that does one job only.",
                    "Sorry. Take out the second jacket and the books, and wear the thickest shoes.",
                ),
            ),
            Exchange(
                ("This list is for summer. I said {when}", "you forgot that it's {trip}!"),
                (
                    "You're right, I'm sorry. {Climate}, so the basis is {must}.",
                    "My apologies. For {trip} start with {must} and leave {skip} at home.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Power banks belong into checked luggage, that's the rule of all airlines.",
                ("Isn't it the other way round?", "I think batteries must not go into checked bags"),
                "You're right, sorry: power banks must travel in the hand luggage. Everything else on the list for {trip} stays: {must}.",
            ),
        ),
    ),
)

_ENTRY_REQUIREMENTS = Intent(
    domain="travel",
    name="entry_requirements",
    weight=0.7,
    script=Script(
        facts=(
            {
                "country": "Japan",
                "stay": "90 days",
                "rule": "no visa is needed for tourists from most European countries",
                "paper": "a passport that's valid for the whole stay",
                "note": "you can register online beforehand to save time at the border",
            },
            {
                "country": "India",
                "stay": "30 days",
                "rule": "an electronic visa is needed, applied for online",
                "paper": "a passport valid for six more months with two empty pages",
                "note": "apply at least four days ahead",
            },
            {
                "country": "Canada",
                "stay": "six months",
                "rule": "an electronic travel authorisation is enough when you arrive by air",
                "paper": "a valid passport",
                "note": "it's linked to the passport and valid for five years",
            },
            {
                "country": "the United Kingdom",
                "stay": "six months",
                "rule": "an electronic travel authorisation is required",
                "paper": "a passport, since identity cards aren't accepted",
                "note": "it's valid for two years",
            },
            {
                "country": "Morocco",
                "stay": "90 days",
                "rule": "no visa is needed for tourists from the EU",
                "paper": "a passport valid for the stay",
                "note": "the stamp at entry matters when you leave",
            },
            {
                "country": "Vietnam",
                "stay": "45 days",
                "rule": "many Europeans may enter without a visa for that time, others apply for an e-visa",
                "paper": "a passport valid for six months",
                "note": "the e-visa allows 90 days",
            },
            {
                "country": "Australia",
                "stay": "three months",
                "rule": "an electronic visitor visa is needed, free of charge for EU citizens",
                "paper": "a passport valid for the stay",
                "note": "food has to be declared",
            },
            {
                "country": "Kenya",
                "stay": "90 days",
                "rule": "an electronic authorisation has to be requested before departure",
                "paper": "a passport valid for six months",
                "note": "some vaccinations are asked for, depending on where you come from",
            },
        ),
        slots={
            "citizen": ("German", "Spanish", "Irish", "Dutch", "Brazilian", "Polish", "Swiss"),
            "purpose": (
                "a holiday",
                "a conference",
                "visiting family",
                "remote work",
                "a transit of nine hours",
                "an internship",
            ),
            "validity": ("four months", "two months", "eleven months", "three weeks"),
        },
        contexts=(
            "I have a {citizen} passport.",
            "It's for {purpose}.",
            "My passport is valid for another {validity}.",
            "Different websites say different things.",
            "My partner has another nationality than me.",
        ),
        openings=(
            "Do I need a visa for {country} <with a {citizen} passport|as a {citizen} citizen>?",
            "What are the entry requirements for {country}<?| at the moment?>",
            "visa {country} {citizen} citizen",
            "My passport expires in {validity}. Can I still travel to {country}?",
            "How long may I stay in {country} for {purpose}?",
            "I need to <find out|know> which documents I have to show when entering {country}.",
            "Can I work on my laptop while I'm in {country} as a tourist?",
            "Is a visa on arrival possible in {country}, or do I have to apply online?",
            "Please list what I need for {country}: passport, visa, vaccinations, onward ticket.",
            "We change planes in {country} and have <nine hours|a night|most of a day> there. Does that need a visa?",
            "How early should I apply for the visa for {country}? <We leave in three weeks.|I leave in ten days.>",
            "My child has a passport of its own, which papers does {country} ask for if only one parent travels?",
            "I overstayed by a day in {country} years ago, will that be a problem now?",
            "Which vaccinations are required for {country}?",
        ),
        details=(
            "I'm a {citizen} citizen.",
            "Return ticket is booked.",
            "I live in France.",
            "It's my first time outside of Europe.",
            "I'll fly in and leave by land.",
        ),
        personal=(
            "My name in the passport is {full_name}.",
            "The invitation is from {colleague}.",
        ),
        answers=(
            "For {country} {rule}; you may stay up to {stay}. You need {paper}. <Rules change, so check the embassy's page shortly before you leave.|The airline checks this at the counter.> Also, {note}.",
            "In short for {country}:\n\n- Visa: {rule}\n- Stay: up to {stay}\n- Passport: {paper}\n- Good to know: {note}\n\nPlease confirm it on the official page, I can't see today's rules.",
            "As a {citizen} citizen you fall under the general rule that {rule}. Border staff may ask for an onward ticket, an address and proof of funds. One more thing: {note}.",
            "What counts is your nationality, not where you live. With a {citizen} passport {rule}, for up to {stay}. For anything beyond tourism, such as {purpose}, ask the consulate, because the tourist rules don't always cover it.",
            "With {validity} left on your passport look closely: the country asks for {paper}. If that's not met the airline won't let you board. An express passport takes about three to four working days in many countries.",
            "Apply only on the government's own site, many look-alikes charge several times the fee. For {country} {rule}, and {note}. Processing takes from some minutes to a week.",
        ),
        clarifications=(
            Clarification(
                "Which nationality is in your passport?",
                ("{citizen}", "I have a {citizen} one", "{citizen}, my partner is Brazilian"),
            ),
            Clarification(
                "Is it for tourism only, or will you also work or study?",
                ("{purpose}", "only tourism", "mostly tourism, maybe some work on the laptop"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Can I extend it once I'm there?", "what if I want to stay longer than {stay}"),
                (
                    "In some cases, at the immigration office and before the time runs out. Overstaying even by a day can mean a fine or a ban.",
                    "Ask at the immigration office well before it ends. Leaving and coming back the next day isn't always accepted.",
                ),
            ),
            Exchange(
                ("What does it cost?", "is there a fee"),
                (
                    "Electronic authorisations cost between 10 and 50 euros, full visas more. The official page has the current fee.",
                    "That changes too often for me to be sure. It's shown before you pay on the official page.",
                ),
            ),
            Exchange(
                ("Do they want to see a return ticket?", "will they ask for an onward ticket?"),
                (
                    "They may, and airlines often do at check-in. A refundable ticket or a bus booking across the border will do.",
                    "It's part of the conditions in most countries, though not always checked.",
                ),
            ),
            Exchange(
                ("And for my partner?", "does the same apply to children?"),
                (
                    "Everyone is checked by their own nationality, and children need their own passport and, if required, their own authorisation.",
                    "Each person applies separately. With a different nationality look it up again.",
                ),
            ),
            Exchange(
                ("Do I need a printed copy?", "is a PDF on the phone enough"),
                (
                    "Take one print along. Phones run out of battery, and a few borders want paper.",
                    "A PDF is mostly enough, but a print of the visa and the hotel booking saves discussions.",
                ),
            ),
            Exchange(
                ("Are any vaccinations compulsory?", "what about a yellow fever certificate"),
                (
                    "Yellow fever proof is asked for when you arrive from an affected area, even after a stopover. For the rest see a travel clinic six weeks ahead.",
                    "Compulsory ones are rare, recommended ones common. A travel clinic gives you both lists.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "The online form rejects my passport number",
                    "I've applied twice and it's been refused without a reason",
                ),
                (
                    "Sorry to hear that. Check O and 0, and enter the name exactly as in the machine-readable line. If it's refused again, write to the consulate with the reference number.",
                    "That's often a photo that doesn't meet the rules. Use a plain white background and no glasses, and apply once more.",
                ),
            ),
            Exchange(
                ("The embassy's website says something else", "that contradicts what the airline told me"),
                (
                    "Then go by the embassy; my information may be out of date. If they differ, have the embassy confirm it by mail and take that along.",
                    "In that case trust the official page. Airlines use a shared database, you can ask the counter to look it up there.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "With your residence permit you can enter {country} without any formalities, nationality doesn't matter.",
                (
                    "I thought it's the passport that counts, not where I live?",
                    "are you sure, my neighbour was turned away with that",
                ),
                "You're right, I'm sorry: the nationality in the passport counts. For {country} that means {rule}.",
            ),
        ),
    ),
)

INTENTS = (_CITY_ITINERARY, _FLIGHT_DISRUPTION, _PACKING_LIST, _ENTRY_REQUIREMENTS)

"""Everyday topics by name, for groups of conversations that share a topic and hardly a word.

Only the list belongs here: plain nouns for what people ask assistants about, in no order that matters. It is general on
purpose. A group far from all of them is named by its members' own words.
"""

from __future__ import annotations

TOPICS = tuple(
    " ".join(line.split())
    for line in """
    passwords; sign-in problems; passkeys; two-factor authentication; account settings; account security; access rights
    team members; subscriptions; free trials; invoices; refunds; double charges; payments; billing; discounts
    order status; deliveries; returns; lost parcels; warranty claims; product availability; gift cards; loyalty points
    customer complaints; app crashes; software installation; software updates; slow computers; printers; Wi-Fi
    Bluetooth pairing; phone batteries; headphones; keyboards; monitors; storage space; backups; data recovery
    smart home devices; smart lights; thermostats; televisions; streaming services; video calls
    e-mail accounts; spam; calendars; reminders; alarms; to-do lists; note-taking; file sharing; cloud storage
    spreadsheet formulas; pivot tables; charts; slides; word processing; PDF files; data cleaning; databases; SQL queries
    data analysis; statistics; machine learning; Python errors; Python scripts; JavaScript; web pages; CSS layout; regular expressions
    Git; unit tests; debugging; code review; algorithms; APIs; servers; Docker containers; command lines; cyber security
    mobile apps; game development; Excel macros; programming homework; mathematics; physics; chemistry; biology; history
    geography; philosophy; economics; literature; essays; exams; homework; study plans; university applications
    scholarships; language learning; translations; grammar; spelling; definitions of words; pronunciation; citations
    text summaries; proofreading; formal letters; blog posts; social media posts; marketing copy; product descriptions
    speeches; poems; stories; song lyrics; role play; character names; jokes; riddles; trivia; quizzes; board games; video games
    resumes; cover letters; job interviews; job search; career changes; salary negotiations; resignations; performance reviews
    conflicts at work; meetings; project plans; business ideas; market research; sales; hiring; time off; payslips
    taxes; bank accounts; money transfers; credit cards; credit scores; loans; mortgages; insurance; investments; pensions
    budgets; exchange rates; fraud; crypto-currencies; bills; rent; leases; neighbours; moving house; house buying; legal questions
    contracts; visas; passports; residence permits; driving licences; parking fines; elections; news; weather; traffic
    city trips; itineraries; flights; delayed flights; lost luggage; packing lists; hotels; train journeys; buses; taxis
    car rental; car repairs; electric cars; bicycles; public transport; camping; cruises; museums; event tickets
    restaurants; table reservations; recipes; baking; bread; ingredient substitutes; meal plans; diets; groceries; nutrition
    coffee; cocktails; barbecues; food safety; allergies; weight loss; workouts; running; yoga; sleep; headaches; colds
    skin care; medicines; vaccinations; pregnancy; doctors' appointments; dentists; mental health; stress; meditation
    relationships; dating; weddings; birthdays; gifts; parenting; babies; schools; teenagers; elderly care; funerals; pets; dogs
    cats; birds; houseplants; gardens; lawns; vegetables; insects; mould; damp walls; paint; wallpaper; shelves; furniture
    flooring; plumbing; dripping taps; drains; heating; electricity; power tools; home repairs; home appliances; household chores; cleaning; laundry; stains
    recycling; home security; interior design; sewing; knitting; photography; photo editing; drawing; music; playlists
    musical instruments; podcasts; films; television series; books; fashion; make-up; hair; football; tennis; fishing; hiking
    astronomy; climate; energy saving; religion; dreams; horoscopes; volunteering; small talk; greetings
    """.replace("\n", ";").split(";")
    if line.strip()
)

"""Working life: interviews, résumés, salary talks, resigning and changing the profession."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_INTERVIEW_PRACTICE = Intent(
    domain="career",
    name="interview_practice",
    weight=1.2,
    weekend=1.2,
    script=Script(
        facts=(
            {
                "role": "junior data analyst",
                "question": "Tell me about a time you found an error in your data",
                "point": "how you noticed, whom you told and what you changed so that it wouldn't happen again",
                "test": "a small SQL task and a chart to interpret",
            },
            {
                "role": "nurse on a surgical ward",
                "question": "How do you set priorities when three patients need you at once",
                "point": "that you judge by urgency, delegate what you can and communicate with the team",
                "test": "a scenario about a patient whose condition gets worse",
            },
            {
                "role": "backend developer",
                "question": "Describe a production incident you were part of",
                "point": "your own part in it, how you limited the damage and what the review changed",
                "test": "a pairing session on a small service",
            },
            {
                "role": "primary school teacher",
                "question": "How do you deal with a child who disturbs every lesson",
                "point": "calm routines, a look at the cause and contact with the parents",
                "test": "a short trial lesson",
            },
            {
                "role": "customer support team lead",
                "question": "What do you do when a good colleague's numbers drop",
                "point": "that you ask before you judge, agree on small steps and follow up",
                "test": "a role play with an angry customer",
            },
            {
                "role": "marketing manager",
                "question": "Which campaign of yours failed, and why",
                "point": "an honest cause, the numbers and what you did differently the next time",
                "test": "a case study with a small budget",
            },
            {
                "role": "warehouse supervisor",
                "question": "How did you make a workplace safer",
                "point": "the risk you saw, what you changed and the accidents that stopped",
                "test": "a walk through the hall with questions on the way",
            },
            {
                "role": "project manager",
                "question": "Tell me about a project that was going to miss its deadline",
                "point": "how early you said so, which options you offered and what was decided",
                "test": "a plan to prioritise in twenty minutes",
            },
            {
                "role": "receptionist at a hotel",
                "question": "A guest complains loudly in front of others, what do you do",
                "point": "that you listen, move the talk aside and offer something concrete",
                "test": "a phone call in a second language",
            },
        ),
        slots={
            "day": ("tomorrow", "on Tuesday", "next week", "on Friday morning", "in two days", "this afternoon"),
            "format": (
                "a video call",
                "an interview with a panel of four",
                "a phone screening",
                "the second round",
                "an assessment day",
                "an informal coffee with the manager",
            ),
            "fear": (
                "I talk too fast",
                "my mind goes blank",
                "English isn't my first language",
                "there's a gap of a year in my CV",
                "I was let go from my last job",
                "I always undersell myself",
            ),
        },
        contexts=(
            "I have an interview for a job as {role} {day}.",
            "It's {format}.",
            "It's my first interview in <six|eight|eleven> years.",
            "My problem is that {fear}.",
            "I've already been rejected <twice|three times> this month.",
        ),
        openings=(
            "Can you do a mock interview with me? The position is {role}.",
            "How do I answer “{question}”?",
            "interview questions {role}",
            "I have an interview as {role} {day} and {fear}. <How do I prepare?|Help!|What should I do?>",
            "Ask me five questions like in a real interview for a {role}, one at a time.",
            "What will they ask me? It's {format} for a job as {role}.",
            "They asked me “{question}” last time and I was terrible. What would a good answer be?",
            "Give me feedback on my answer to “{question}”: <I basically said that I stay calm and do my best.|I told them a story of ten minutes.|I said it had never happened to me.>",
            "How do I introduce myself without reading out my CV? It's {format}.",
            "<STAR method example|What is your greatest weakness, good answers|Questions to ask the interviewer|Why do you want to work here, how to answer>, {role}",
            "I have {format} {day}. The ad says {role}, I meet about two thirds of the requirements and {fear}. Let's practise.",
            "Is it okay to bring notes to {format}?",
            "Every time I'm asked something like “{question}”, {fear}.",
            "Let's rehearse the difficult part, because {fear}.",
            "What should I ask them at the end, as a {role}?",
        ),
        details=(
            "It's {format}.",
            "Please be strict with me.",
            "The company has about <40|300|2,000> people.",
            "I worry because {fear}.",
            "The hiring manager seemed friendly on the phone.",
        ),
        personal=(
            "I'd introduce myself with “Hello, I'm {full_name}”.",
            "The interviewer is {colleague}.",
            "The invitation went to {email}.",
        ),
        answers=(
            "Let's start. I'm the interviewer for the position as {role}, and this is my first question: “{question}”. Answer in about ninety seconds, and I'll tell you what worked and what didn't.",
            "For “{question}” use the STAR pattern: the situation in one sentence, your task, two or three actions, the result. What they want to hear is {point}.",
            "For a {role} I'd prepare five stories you can reuse: a success, a failure, a conflict, a deadline and something you learned. With them you can answer most questions, also “{question}”. Expect {test} too.",
            "Introduce yourself in three steps: what you do now, what in your past fits a {role}, and why this job. One minute, no dates, and a last sentence that leads to the next question.",
            "Good questions for the end:\n\n- What would you like the new {role} to have achieved after six months?\n- What is the hardest part of the job at the moment?\n- How does the team decide things?\n- What are the next steps?",
            "Nerves get better by rehearsing aloud. Record yourself answering “{question}”, listen once, cut a third, and say it again. <Pausing for three seconds before an answer looks thoughtful, not lost.|A glass of water gives you a pause whenever you need one.>",
        ),
        clarifications=(
            Clarification(
                "Which round is it, and who will be sitting there?",
                ("first round, with HR", "{format}", "the manager and someone from the team"),
            ),
            Clarification(
                "Could you paste the two or three main requirements of the ad?",
                (
                    "experience, teamwork and “hands-on mentality”",
                    "it's mostly the usual things for a {role}",
                    "I don't have it here",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "When they ask for a weakness, say that you're a perfectionist. That always goes down well.",
                ("Isn't that the most worn-out answer there is?", "I've heard recruiters hate that one"),
                "You're right, sorry, everyone says that. Name a real but not decisive weakness and what you do about it. The same honesty works for “{question}”: show {point}.",
            ),
        ),
        exchanges=(
            Exchange(
                (
                    "My answer: I noticed it late, told my boss at once and we fixed it together.",
                    "I'd say: first I listened, then I made a plan and we got it done. How was that?",
                ),
                (
                    "A good core. It lacks one number and your own part: say what you did, not “we”, and close with the result.",
                    "Clear and short, well done. Add how you knew it had worked, and one sentence on what you'd do differently.",
                ),
            ),
            Exchange(
                ("What if I don't know the answer?", "what do i say if i have no idea"),
                (
                    "Say so, and think aloud: “I haven't met that yet, I'd start by…”. Honest reasoning beats a made-up story.",
                    "Ask for a moment or for an example. If it's about knowledge, say how you would find out.",
                ),
            ),
            Exchange(
                ("How do I explain the gap in my CV?", "and the gap of a year?"),
                (
                    "One calm sentence with the reason, one about what you did or learned, then back to the job. Don't apologise.",
                    "Keep it short and true, for instance family or a change of plans, and end with why now is the right time.",
                ),
            ),
            Exchange(
                ("What should I wear?", "suit or casual?"),
                (
                    "One step more formal than people there dress on an ordinary day. For a video call, a plain top and light from the front.",
                    "Look at photos of the team. If in doubt, a shirt or blouse without a tie is safe.",
                ),
            ),
            Exchange(
                ("Should I send a thank-you mail afterwards?", "when can I ask for an answer"),
                (
                    "Yes, the same or the next day, three sentences: thanks, one thing from the talk that stayed with you, and that you're interested.",
                    "Ask at the end when they'll decide. If the day passes, wait two working days and send a short, friendly mail.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("That sounds memorised, nobody talks like that", "I'd never say it like that"),
                (
                    "Fair, sorry. Keep only three keywords per story and find the words while speaking. Tell it to me as you'd tell a friend.",
                    "Then let's take your words. Give me the story in two messy sentences, and I'll only move the parts around.",
                ),
            ),
            Exchange(
                ("I used it today and they looked bored", "had the interview, it went badly"),
                (
                    "I'm sorry to hear that. Write down the questions while you remember them; we'll go through the two worst. And you often can't tell from faces.",
                    "That's disappointing. Which answer took longest? It's usually length, so we'd practise that one with a limit of a minute.",
                ),
            ),
        ),
    ),
)

_RESUME_REVIEW = Intent(
    domain="career",
    name="resume_review",
    weight=1.3,
    weekend=1.1,
    script=Script(
        facts=(
            {
                "role": "sales assistant",
                "bullet": "Responsible for the till and customer advice",
                "better": "Advised about 80 customers a day and ran a till with a daily turnover of €6,000",
                "issue": "half of my CV is a personal statement",
            },
            {
                "role": "software developer",
                "bullet": "Worked on the backend with Java",
                "better": "Cut the response time of the order service from 900 to 250 ms by adding a cache",
                "issue": "my CV lists 34 technologies in a row",
            },
            {
                "role": "personal assistant",
                "bullet": "Did general office tasks",
                "better": "Moved an office of 45 people to a new site in three weeks, within the budget",
                "issue": "my CV is three pages long",
            },
            {
                "role": "graphic designer",
                "bullet": "Created social media posts",
                "better": "Designed a template set for social media that three teams still use",
                "issue": "my two-column layout confuses the application software",
            },
            {
                "role": "chef de partie",
                "bullet": "Cooking and ordering of goods",
                "better": "Ran the sauce station for 120 covers a night and reduced food waste by a fifth",
                "issue": "my jobs are in the wrong order",
            },
            {
                "role": "bookkeeper",
                "bullet": "Monthly closing and reports",
                "better": "Shortened the monthly closing from nine to five working days",
                "issue": "there isn't one number in my CV",
            },
            {
                "role": "certified electrician",
                "bullet": "Installations in new buildings",
                "better": "Wired 60 flats in two years without a defect at the final inspection",
                "issue": "my certificates are hidden at the bottom",
            },
            {
                "role": "biology graduate",
                "bullet": "Lab work for my thesis",
                "better": "Prepared and sequenced 200 samples for a thesis on soil bacteria, graded with distinction",
                "issue": "my CV shows hardly any work experience",
            },
            {
                "role": "logistics coordinator",
                "bullet": "Planning of transports",
                "better": "Planned 40 deliveries a day and brought late ones down from 9% to 3%",
                "issue": "there's a gap between 2022 and 2023",
            },
        ),
        slots={
            "count": ("20", "35", "over 50", "about a dozen", "40"),
            "reply": ("no reply at all", "one rejection", "two interviews", "only automatic answers"),
            "section": ("profile", "skills section", "work experience", "education section", "headline"),
        },
        contexts=(
            "I'm applying for jobs as {role}.",
            "I've sent out {count} applications and got {reply}.",
            "My CV is <two years|four years|ages> old.",
            "I've got <three|seven|twelve> years of experience.",
            "I wrote it with a template from the internet.",
        ),
        openings=(
            "Can you review my resume? I'm a {role}.",
            "How do I make this bullet point better: “{bullet}”?",
            "cv check {role}",
            "I've sent {count} applications as {role} and got {reply}. <What's wrong with my CV?|Is it my resume?|What am I doing wrong?>",
            "Rewrite this for my resume: {bullet}",
            "My problem is that {issue}. <How do I fix that?|Is that bad?|What would you do?>",
            "Should a CV for a {role} be one page or two?",
            "Improve my {section} please. I'm a {role} and {issue}.",
            "Does my resume get past the <ATS|application software|automatic filter> when {issue}?",
            "<Resume summary examples|Action verbs for a CV|CV without experience|How far back should a resume go>, {role}",
            "What belongs in the {section} of a {role}?",
            "A recruiter told me that {issue}. I want to change it before I apply again as {role}.",
            "Be honest, is “{bullet}” good enough as a description of a job?",
            "Tailor my CV to this ad: they want a {role} with experience, and mine only says “{bullet}”.",
            "I can't describe my work without sounding either boring or boastful. At the moment it says: {bullet}.",
        ),
        details=(
            "The {section} is the part I like least.",
            "It should fit on one page.",
            "I got {reply} so far.",
            "No photo on it.",
            "The last job is the one that matters.",
        ),
        personal=(
            "At the top it says {full_name}, {email}, {phone}.",
            "{colleague} could be my reference.",
            "Is my address {email} too informal?",
        ),
        answers=(
            "The line “{bullet}” says what your task was, not what came of it. Better: “{better}”. <If the figures differ, put in your own.|An honest estimate is fine, as long as you can explain it.>",
            "Three things first: put the strongest result in the upper third, begin every line with a verb, and give each job three to five lines. For instance, instead of “{bullet}” write “{better}”.",
            "What I'd change:\n\n1. Headline: {role} plus your speciality\n2. Profile: two sentences, no adjectives\n3. Experience: results such as “{better}”\n4. Everything older than about ten years in one line each",
            "A reader spends well under a minute on the first look, so mend what strikes at once: the length, the order, the layout. After that, work on lines like “{bullet}”.",
            "For application software use one column, ordinary headings such as “Work experience”, no text in images, and the words of the ad where they're true. A PDF with selectable text is fine nearly everywhere.",
            "Tailoring takes ten minutes: mark the five most important words in the ad, make sure that each of them appears with a proof, and move these lines up. “{Better}” is such a proof.",
        ),
        clarifications=(
            Clarification(
                "Which country do you apply in? Length and photo are handled differently.",
                ("UK", "Germany, but in English", "United States", "the Netherlands"),
            ),
            Clarification(
                "Could you paste your latest job with its bullet points, without names?",
                ("{bullet}. That's it, really", "“{bullet}” and two more like that", "I only have it on paper"),
            ),
        ),
        mistakes=(
            Mistake(
                "Put the keywords of the ad in white text at the bottom, so that the software finds them.",
                (
                    "Isn't that cheating? They'd see it as soon as the text is extracted",
                    "that trick is known, I don't want to be thrown out",
                ),
                "You're right, I'm sorry, that's a bad idea and easily discovered. Use the words openly where they're true, for example in “{better}”.",
            ),
        ),
        exchanges=(
            Exchange(
                ("Should I include hobbies?", "hobbies and languages, yes or no?"),
                (
                    "Languages yes, with a level such as B2. Hobbies only if they say something the rest doesn't, a volunteer post for example.",
                    "Leave out reading and travelling. Anything with responsibility, like coaching a team, may stay in one line.",
                ),
            ),
            Exchange(
                ("How do I write a profile at the top?", "what goes in the summary"),
                (
                    "Two sentences: who you are with years and speciality, and what you want to do for them. For example: “{role} with seven years of experience, looking for a team that…”.",
                    "Role, years, strongest result, aim. If it would fit anyone else, delete it.",
                ),
            ),
            Exchange(
                ("Do I need a cover letter as well?", "does anyone read cover letters?"),
                (
                    "If the ad asks for one, yes: half a page with one reason for them, one proof and one sentence on when you could begin.",
                    "Some do. It helps most when the CV raises a question, such as a change of field or a move.",
                ),
            ),
            Exchange(
                ("I don't have numbers for what I did", "where do I get figures from?"),
                (
                    "Count something ordinary: customers a day, size of the team, how often, how fast, what it was before. Ranges are fine.",
                    "Use scope when there's no result: “for three branches”, “every week”, “as the only one in the team”.",
                ),
            ),
            Exchange(
                ("And the gap?", "how do I show a year without work"),
                (
                    "Use years and leave out months, or name it in a line: “2023: caring for a relative”. An explained gap is rarely a problem.",
                    "Put in what you did, a course, family or travelling, in one honest line. Save the details for the interview.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("You made things up, I never had those numbers", "That's not true, I can't write “{better}”"),
                (
                    "I apologise, the figures were only meant as an example. Put in your own, or describe the scope without numbers. Never write what you can't defend.",
                    "You're right, sorry. Tell me what you really did in a normal week, and I'll phrase it without inventing anything.",
                ),
            ),
            Exchange(
                ("I changed everything and still get {reply}", "new CV, same result, {reply}"),
                (
                    "I'm sorry. Then it may not be the CV: compare your applications with what the ads require, and try to reach a person before you send it.",
                    "Let's look at the numbers. {count} applications without tailoring often do worse than ten good ones; pick the three that fit you best.",
                ),
            ),
        ),
    ),
)

_SALARY_NEGOTIATION = Intent(
    domain="career",
    name="salary_negotiation",
    weight=1.0,
    weekend=0.9,
    script=Script(
        facts=(
            {
                "role": "product designer",
                "offer": "€52,000",
                "target": "€57,000",
                "ask": "€59,000",
                "raise": "about 10%",
            },
            {
                "role": "software engineer",
                "offer": "$118,000",
                "target": "$128,000",
                "ask": "$132,000",
                "raise": "about 8%",
            },
            {"role": "recruiter", "offer": "£36,000", "target": "£39,000", "ask": "£40,500", "raise": "about 8%"},
            {
                "role": "mechanical engineer",
                "offer": "€61,000",
                "target": "€66,000",
                "ask": "€68,000",
                "raise": "about 8%",
            },
            {
                "role": "key account manager",
                "offer": "$72,000",
                "target": "$78,000",
                "ask": "$81,000",
                "raise": "about 8%",
            },
            {"role": "physiotherapist", "offer": "£33,000", "target": "£36,000", "ask": "£37,000", "raise": "about 9%"},
            {"role": "data engineer", "offer": "€70,000", "target": "€77,000", "ask": "€80,000", "raise": "10%"},
            {
                "role": "management assistant",
                "offer": "$64,000",
                "target": "$70,000",
                "ask": "$72,000",
                "raise": "about 9%",
            },
        ),
        slots={
            "reason": (
                "I've taken over a colleague's work",
                "I trained two new people this year",
                "I found out that a new hire earns more",
                "I haven't had a raise in three years",
                "my last project brought in a big client",
                "the rent has gone up a lot",
            ),
            "reaction": (
                "there's no budget",
                "we'll see next year",
                "that's our standard offer",
                "others earn the same",
                "you're already at the top of the band",
            ),
            "extra": (
                "two more days of leave",
                "working from home three days a week",
                "a training budget",
                "a review after six months",
                "a signing bonus",
            ),
        },
        contexts=(
            "I've got an offer as {role} for {offer}.",
            "I work as {role} and earn {offer}.",
            "{Reason}.",
            "I've never negotiated before.",
            "The conversation is <on Thursday|next week|tomorrow at ten>.",
        ),
        openings=(
            "How do I negotiate my salary? They offer {offer} and I want {target}.",
            "How do I ask for a raise when {reason}?",
            "salary negotiation {role} {offer}",
            "They offered me {offer} as {role}. <Should I take it?|Can I ask for more?|Is there room for more?>",
            "Write an email in which I ask for {target} instead of {offer}.",
            "What do I say when my boss answers “{reaction}”?",
            "I asked for a raise and got “{reaction}”. {Reason}. <What now?|Should I start looking around?|How do I react?>",
            "What's a realistic raise for a {role} on {offer}?",
            "Should I name the first number or wait for them? I'd like {target}.",
            "Role-play my boss please, I'm going to ask for {target} because {reason}.",
            "They want to know my salary expectations for a job as {role}, what do I put in the form?",
            "Is {offer} a fair offer for a {role} with <four|six|nine> years of experience?",
            "<Counter offer email template|How to ask for a pay rise|Negotiating {extra}|Answering the question about salary expectations>",
            "I have two offers, one for {offer} with {extra}, the other for {target} without. Which one would you take?",
            "I earn {offer}, {reason}, and I'm afraid that asking for more makes me look greedy.",
        ),
        details=(
            "{Reason}.",
            "I'd also be happy with {extra}.",
            "I don't want to lose the offer.",
            "My manager is fair but careful with money.",
            "I'm a {role}.",
        ),
        personal=(
            "The offer came from {colleague}, {email}.",
            "Sign it with {full_name}, please.",
            "They want to phone me on {phone} about it.",
        ),
        answers=(
            "Ask for a bit more than you want: with {target} as your aim, say {ask}. Thank them, name the number, give one reason, and then be silent. Most first offers have some room.",
            "You could write:\n\n“Thank you for the offer, I'd very much like to join you. Based on my experience and on what comparable positions pay, I was expecting {ask}. Is there room to come closer to that?”\n\n<Short is better; every further sentence weakens it.|Send it in the morning and suggest a call.>",
            "For a raise, argue with results and not with needs. Prepare three facts from the past year, the pay for a {role} elsewhere and one figure: {target}, which is {raise} above {offer}. Announce the subject beforehand, so that nobody is taken by surprise.",
            "If they say “{reaction}”, ask: “What would have to happen for {target} to be possible, and by when?” Then have it written down. If money can't move, negotiate {extra}.",
            "Find out the market range first, from collective agreements, salary surveys and two or three people in the field. If {offer} is below the middle of the range, say so calmly and name {ask}. If it's above, ask for {extra} instead.",
            "Let them name the figure first if you can: “What range have you planned for the position?” If you have to answer, give a range whose lower end is fine with you, such as {target} to {ask}.",
        ),
        clarifications=(
            Clarification(
                "Is it about a new job or about a raise in the present one?",
                ("new job, the offer is {offer}", "a raise, I've been there for four years", "present job, {reason}"),
            ),
            Clarification(
                "What would you do if they said no?",
                ("I'd probably take it anyway", "keep looking", "I have another offer for {target}"),
            ),
        ),
        mistakes=(
            Mistake(
                "Tell them that you'll leave if you don't get {ask}. An ultimatum works best.",
                ("That seems risky, I don't want to leave", "and if they say okay, then go?"),
                "You're right, I'm sorry. Only threaten what you'd really do. Ask what it would take to reach {target}, and suggest {extra} as a bridge.",
            ),
        ),
        exchanges=(
            Exchange(
                ("Should I tell them what I earn now?", "do i have to say my current salary?"),
                (
                    "You don't have to, and in many places they aren't allowed to ask. Bring the talk back to the position: “I'm looking for {target}”.",
                    "Better not. Name what you expect instead. If you do say it, don't lie; it can come out later.",
                ),
            ),
            Exchange(
                ("What if they withdraw the offer?", "can they take the offer back because i asked"),
                (
                    "After a polite request that's very rare. The usual answers are yes, a bit, or no.",
                    "Hardly anyone does if you stay friendly and show that you want the job. It'd also tell you something about them.",
                ),
            ),
            Exchange(
                ("What can I ask for besides money?", "is {extra} a good alternative"),
                (
                    "Leave, hours, working from home, training, the title, the starting date, or a fixed date for the next review. {Extra} is often easier to get than money.",
                    "Choose what costs them little and is worth a lot to you. Have it in the contract, not just promised.",
                ),
            ),
            Exchange(
                ("When is the best time to ask?", "should I wait for the yearly review?"),
                (
                    "Two or three months before the budget is decided, or right after a visible success. In the yearly talk it's often settled already.",
                    "Don't wait if your tasks have just grown; that's the best argument there is.",
                ),
            ),
            Exchange(
                (
                    "They came back with something in the middle, accept?",
                    "They now say {target}! Should I push further?",
                ),
                (
                    "If it's at or above {target}, accept with thanks. You've reached your aim, and a good start is worth more than the last thousand.",
                    "Ask once more at most, and for something else such as {extra}. Then decide within a day.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "I said exactly that and they answered “{reaction}”",
                    "didn't work. “{reaction}”, end of conversation",
                ),
                (
                    "I'm sorry. Ask for a date and for criteria in writing: what do I have to show by when? And take the time to see what others would pay.",
                    "That's disappointing. Thank them, let two weeks pass, and come back with {extra}. If that's refused too, you know where you are.",
                ),
            ),
            Exchange(
                ("Your email sounds far too pushy", "I can't send that, it's not my tone"),
                (
                    "Apologies, let's soften it: “Would there be any flexibility on the salary? {target} would make the decision easy for me.”",
                    "Sorry. Then make it a question: “Before I sign, could we talk about the salary for ten minutes?” The number follows on the phone.",
                ),
            ),
        ),
    ),
    translations={
        "german": Script(
            facts=(
                {"gehalt": "48.000 Euro", "ziel": "52.000 Euro", "forderung": "54.000 Euro"},
                {"gehalt": "39.000 Euro", "ziel": "42.500 Euro", "forderung": "44.000 Euro"},
                {"gehalt": "62.000 Euro", "ziel": "67.000 Euro", "forderung": "70.000 Euro"},
                {"gehalt": "55.000 Euro", "ziel": "60.000 Euro", "forderung": "62.000 Euro"},
            ),
            slots={
                "grund": (
                    "ich habe die Aufgaben einer Kollegin übernommen",
                    "meine letzte Erhöhung ist drei Jahre her",
                    "ich arbeite seit Monaten neue Leute ein",
                    "ich leite inzwischen ein eigenes Projekt",
                    "ein neuer Kollege verdient mehr als ich",
                ),
                "antwort": (
                    "kein Budget",
                    "nächstes Jahr vielleicht",
                    "das ist unser Standard",
                    "die anderen bekommen auch nicht mehr",
                ),
                "extra": ("mehr Urlaubstage", "zwei Tage Homeoffice", "eine Weiterbildung", "ein Jobticket"),
            },
            contexts=(
                "Nächste Woche habe ich mein Jahresgespräch.",
                "Ich verdiene derzeit {gehalt} brutto im Jahr.",
                "Ich habe noch nie verhandelt.",
            ),
            openings=(
                "Wie verhandle ich mein Gehalt? Ich verdiene {gehalt} und hätte gern {ziel}.",
                "Ich möchte mehr Geld, denn {grund}. Wie spreche ich das bei meiner Chefin an?",
                "<Gehaltsverhandlung Argumente|Gehaltserhöhung schriftlich beantragen|Gehaltsvorstellung angeben>, {gehalt}",
                "Mir wurden {gehalt} angeboten. <Soll ich das annehmen?|Kann ich noch nachverhandeln?|Ist da noch Luft?>",
                "Formuliere mir bitte eine E-Mail, in der ich um ein Gespräch über mein Gehalt bitte. {Grund}.",
                "Was antworte ich, wenn es heißt „{antwort}“?",
                "Ich wollte mehr Gehalt, und mein Chef meinte nur „{antwort}“. {Grund}. Was kann ich jetzt noch tun?",
                "Welche Gehaltsvorstellung soll ich in die Bewerbung schreiben? Zuletzt waren es {gehalt}.",
                "Spiel bitte meinen Chef, ich will {ziel} verlangen. Mein Argument: {grund}.",
            ),
            details=(
                "Statt Geld nähme ich auch {extra}.",
                "Einen Tarifvertrag gibt es bei uns nicht.",
                "Kündigen will ich eigentlich nicht.",
            ),
            personal=("Ich heiße {full_name}.", "Das Gespräch führt {colleague}.", "Das Angebot kam an {email}."),
            answers=(
                "Gehen Sie etwas höher hinein, als Sie am Ende wollen: Wenn {ziel} Ihr Ziel sind, nennen Sie {forderung}. Begründen Sie das mit zwei oder drei Ergebnissen aus dem letzten Jahr und warten Sie dann die Antwort ab.",
                "Ein Vorschlag für die E-Mail:\n\n„In den vergangenen Monaten hat sich mein Aufgabenbereich deutlich erweitert. Ich würde gern mit Ihnen über meine Entwicklung und mein Gehalt sprechen. Passt Ihnen ein Termin in der kommenden Woche?“\n\nDie Zahl nennen Sie erst im Gespräch.",
                "Argumentieren Sie mit Leistung, nicht mit gestiegenen Kosten. Vergleichen Sie vorher, was in Ihrer Branche und Region gezahlt wird. Liegen {gehalt} darunter, sagen Sie das sachlich und nennen {forderung}.",
                "Auf „{antwort}“ passt die Frage: „Was müsste passieren, damit {ziel} möglich werden, und bis wann?“ Halten Sie die Antwort schriftlich fest. Als Zwischenschritt können Sie {extra} vorschlagen.",
            ),
            exchanges=(
                Exchange(
                    (
                        "Muss ich sagen, was ich bisher verdiene?",
                        "Darf die Personalabteilung nach meinem alten Gehalt fragen?",
                    ),
                    (
                        "Nein, das brauchen Sie nicht. Sagen Sie freundlich, dass Sie sich an der neuen Stelle orientieren, und nennen Sie Ihre Vorstellung von {forderung}.",
                    ),
                ),
                Exchange(
                    ("Wann ist der beste Zeitpunkt?", "Soll ich bis zum Jahresgespräch warten?"),
                    (
                        "Am besten fragen Sie kurz nach einem sichtbaren Erfolg und bevor die Budgets feststehen, also meist im Herbst.",
                    ),
                ),
                Exchange(
                    ("Was kann ich außer Geld noch verlangen?", "Soll ich stattdessen {extra} vorschlagen?"),
                    (
                        "Urlaub, Arbeitszeit, Homeoffice, Weiterbildung oder ein fester Termin für die nächste Gehaltsrunde. Lassen Sie sich die Zusage schriftlich geben.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    (
                        "Das hat nicht funktioniert, die Antwort war „{antwort}“.",
                        "Ich habe es genau so gesagt und trotzdem eine Absage bekommen.",
                    ),
                    (
                        "Das tut mir leid. Bitten Sie um klare Ziele und einen Termin in sechs Monaten, und schauen Sie sich in der Zwischenzeit um, was andere zahlen.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            facts=(
                {"sueldo": "24.000 euros", "objetivo": "27.000 euros", "propuesta": "28.500 euros"},
                {"sueldo": "31.000 euros", "objetivo": "34.000 euros", "propuesta": "36.000 euros"},
                {"sueldo": "42.000 euros", "objetivo": "46.000 euros", "propuesta": "48.000 euros"},
                {"sueldo": "28.000 euros", "objetivo": "30.500 euros", "propuesta": "32.000 euros"},
            ),
            slots={
                "motivo": (
                    "he asumido el trabajo de un compañero",
                    "llevo tres años sin una subida",
                    "ahora coordino un equipo de cuatro personas",
                    "a los nuevos les pagan más que a mí",
                    "mi último proyecto trajo un cliente grande",
                ),
                "respuesta": (
                    "no hay presupuesto",
                    "ya veremos el año que viene",
                    "es lo que cobran todos",
                    "es nuestra oferta habitual",
                ),
                "extra": ("más teletrabajo", "unos días más de vacaciones", "un curso pagado", "un seguro médico"),
            },
            contexts=(
                "La semana que viene tengo la evaluación anual.",
                "Ahora cobro {sueldo} brutos al año.",
                "Nunca he negociado mi sueldo.",
            ),
            openings=(
                "¿Cómo negocio mi salario? Me ofrecen {sueldo} y quiero {objetivo}.",
                "Quiero pedir un aumento porque {motivo}. ¿Cómo se lo digo a mi jefa?",
                "<pedir aumento de sueldo|negociar salario en una entrevista|carta para pedir una subida de sueldo>, {sueldo}",
                "Me han ofrecido {sueldo}. <¿Acepto?|¿Puedo pedir más?|¿Es poco?>",
                "Escríbeme un correo para pedir {objetivo} en lugar de {sueldo}, por favor.",
                "¿Qué contesto si me dicen que {respuesta}?",
                "Pedí un aumento y me dijeron que {respuesta}, aunque {motivo}. ¿Qué hago ahora?",
                "¿Qué pongo como expectativas salariales? Hasta ahora cobraba {sueldo}.",
                "Haz de mi jefe, que quiero ensayar: voy a pedir {objetivo} porque {motivo}.",
            ),
            details=("También me valdría {extra}.", "No quiero perder la oferta.", "Llevo cuatro años en la empresa."),
            personal=("Me llamo {full_name}.", "La reunión es con {colleague}.", "La oferta me llegó a {email}."),
            answers=(
                "Pide un poco más de lo que quieres: si tu objetivo son {objetivo}, di {propuesta}. Da una razón basada en resultados y después guarda silencio; casi siempre hay algo de margen.",
                "Puedes escribir:\n\n«Muchas gracias por la oferta, me gustaría mucho incorporarme. Por mi experiencia y por lo que se paga en puestos similares, esperaba {propuesta}. ¿Habría margen para acercarnos a esa cifra?»\n\nCuanto más breve, mejor.",
                "Lleva tres logros del último año y una cifra de referencia del sector. No hables de tus gastos, habla de lo que aportas. Si {sueldo} está por debajo del mercado, dilo con calma.",
                "Si te responden que {respuesta}, pregunta: «¿Qué tendría que pasar para llegar a {objetivo}, y cuándo?». Pide que quede por escrito. Mientras tanto puedes negociar {extra}.",
            ),
            exchanges=(
                Exchange(
                    ("¿Tengo que decir cuánto gano ahora?", "¿Y si me preguntan mi sueldo actual?"),
                    (
                        "No estás obligado. Di que prefieres hablar del nuevo puesto y que tu expectativa son {propuesta}.",
                    ),
                ),
                Exchange(
                    ("¿Cuál es el mejor momento para pedirlo?", "¿Espero a la evaluación anual?"),
                    (
                        "Justo después de un buen resultado y antes de que cierren el presupuesto, normalmente en otoño.",
                    ),
                ),
                Exchange(
                    ("¿Pueden retirarme la oferta por pedir más?", "Me da miedo que se echen atrás."),
                    ("Es muy raro si lo pides con educación. Lo normal es que digan que sí, que un poco o que no.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("No ha funcionado, me han dicho que {respuesta}.", "Lo dije tal cual y me han contestado que no."),
                    (
                        "Lo siento. Pide objetivos concretos y una fecha para revisarlo dentro de seis meses, y entretanto mira qué pagan otras empresas.",
                    ),
                ),
            ),
        ),
    },
)

_RESIGNATION_LETTER = Intent(
    domain="career",
    name="resignation_letter",
    weight=0.8,
    weekend=1.1,
    script=Script(
        facts=(
            {"notice": "two weeks", "last_day": "December 4"},
            {"notice": "four weeks", "last_day": "December 18"},
            {"notice": "one month", "last_day": "December 31"},
            {"notice": "two months", "last_day": "January 31"},
            {"notice": "three months", "last_day": "February 28"},
            {"notice": "six weeks", "last_day": "January 8"},
        ),
        slots={
            "reason": (
                "I've found a better job",
                "I'm moving to another city",
                "I'm going back to university",
                "the stress is making me ill",
                "I'm starting my own business",
                "my boss and I don't get along",
                "I need time for my family",
            ),
            "role": (
                "sales representative",
                "kindergarten teacher",
                "team lead",
                "store manager",
                "paralegal",
                "software tester",
                "care assistant",
            ),
            "tone": ("friendly", "short and neutral", "formal", "grateful but clear", "strictly professional"),
        },
        contexts=(
            "I've worked there for <two|five|nine> years as {role}.",
            "My notice period is {notice}.",
            "I haven't told anyone yet.",
            "{Reason}.",
            "My manager <won't take it well|has no idea|probably expects it>.",
        ),
        openings=(
            "Can you write a resignation letter for me? I'm a {role} and my last day should be {last_day}.",
            "How do I quit my job politely?",
            "resignation letter {notice} notice, {tone}",
            "I want to resign because {reason}. <What do I write?|Do I have to give the reason?|How do I word it?>",
            "Write a {tone} resignation letter, notice period {notice}.",
            "Do I have to give a reason when I resign? The truth is that {reason}.",
            "How do I tell my boss that I'm leaving before I hand in the letter?",
            "Make this resignation sound {tone}: <I quit, my last day is {last_day}.|Hi, just to let you know I'm leaving.|I can't do this any more and I'm out.>",
            "Is an email enough to resign or does it have to be on paper?",
            "My notice period is {notice}. If I resign today, is {last_day} right?",
            "I've signed a new contract and have to resign from my job as {role} by tomorrow. I'd like the letter to be {tone}, because I may need a reference.",
            "<Resignation letter template|How to resign during probation|Two weeks notice letter|Can I take back my resignation>, {role}",
            "Quitting after three months, {reason}. How do I put that in a letter?",
            "Can they make me stay longer than {notice}?",
            "I'm so done with this job as {role}, but the letter still has to be {tone}.",
        ),
        details=(
            "My last day would be {last_day}.",
            "Please keep it {tone}.",
            "I've got nine days of leave left.",
            "I'd like a reference afterwards.",
            "No more than half a page.",
        ),
        personal=(
            "Sign it with {full_name}.",
            "It goes to {colleague}, my manager.",
            "Put {email} and {phone} in as my private contact.",
        ),
        answers=(
            "Here's a version:\n\n“Dear [manager],\n\nPlease accept this letter as notice of my resignation from my position as {role}. My last working day will be {last_day}.\n\nThank you for the time here. I'll do my best to hand over my work properly.\n\nKind regards”",
            "A letter of resignation needs only three things: that you resign, from which position, and your last day, {last_day}. Thanks and an offer to hand over are good style. Reasons aren't needed.",
            "Tell your manager in person first and hand in the letter the same day. Two sentences are enough: “I've decided to leave. My last day would be {last_day}, and I'd like to talk about the handover.”",
            "You don't owe anyone a reason. Especially if it's about conflicts, leave it out, since the letter stays in your file. If you want a line anyway, “to take the next step in my career” is enough.",
            "Check the contract before you send it: how long is the notice, {notice} or more, does it run to the end of a month, and does it have to be on paper? Keep a copy and have the receipt confirmed.",
            "Here's a shorter one:\n\n“I hereby resign from my position as {role}, with notice of {notice}. According to my contract my last day is {last_day}. Please confirm receipt of this letter and the end date in writing.”",
        ),
        clarifications=(
            Clarification(
                "Which notice period does your contract state, and does it run to the end of a month?",
                ("{notice}", "{notice}, any day", "I'd have to look it up"),
            ),
            Clarification(
                "Should the letter mention why you're leaving?",
                ("no, rather not", "just briefly: {reason}", "only that I'm grateful"),
            ),
        ),
        mistakes=(
            Mistake(
                "Explain in the letter in detail what went wrong, so that they can learn from it.",
                ("Wouldn't that burn bridges? I need a reference", "I don't think criticism belongs in the letter"),
                "You're right, I'm sorry. Criticism belongs in the exit interview, if anywhere. The letter only says that you resign as {role} and that {last_day} is your last day.",
            ),
        ),
        exchanges=(
            Exchange(
                ("What happens to my remaining leave?", "can I use my holidays during the notice period?"),
                (
                    "Usually you take it before the last day or it's paid out, depending on the country and the contract. Ask for it in writing together with the handover plan.",
                    "Propose dates at once. If it can't be taken, ask how it'll be paid.",
                ),
            ),
            Exchange(
                ("How do I tell the team?", "when do I tell my colleagues"),
                (
                    "After your manager, and agree with them on the day. A short message is enough: when you leave, who takes over, and thanks.",
                    "Talk to the closest ones in person, then write to the rest in three sentences. No reasons needed there either.",
                ),
            ),
            Exchange(
                ("They made me a counter-offer, should I stay?", "what if they offer more money"),
                (
                    "Ask yourself whether money was the reason. If not, it'll be the same in six months. Take a day, no longer.",
                    "Be careful: the trust has a crack, and the reasons usually remain. If you stay, get everything in writing first.",
                ),
            ),
            Exchange(
                ("What should I hand over?", "do you have a handover checklist?"),
                (
                    "Open tasks with their status, deadlines, contacts, where the files are, access rights, and recurring dates. One page per project is plenty.",
                    "A list of what you do weekly, monthly and yearly, the open points with names, and what only you know. Return equipment against a receipt.",
                ),
            ),
            Exchange(
                ("How do I ask for a reference?", "can I ask for a reference letter in the same mail"),
                (
                    "Better separately, a few days later: say what for, by when, and list the three tasks you'd like mentioned.",
                    "Ask in the talk, not in the letter. Offering a draft makes it easier for them.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("They say I have to stay longer than {last_day}", "HR won't accept {last_day}"),
                (
                    "Sorry, then the contract or a collective agreement probably sets a longer period, or one to the end of a month. Ask them for the clause, and have it checked if it seems wrong.",
                    "Let's check the dates: from the day they received the letter, {notice}, and then perhaps until the end of that month. If that gives another day, correct it; otherwise insist politely and in writing.",
                ),
            ),
            Exchange(
                ("That's too cold, I did like working there", "it sounds like I hate them"),
                (
                    "I'm sorry, let's warm it up: “I've learned a great deal here and I'm especially grateful for the support of the team.” One concrete memory does more than three adjectives.",
                    "Apologies. Add a line of thanks after the date and close with “I'd be glad to stay in touch”.",
                ),
            ),
        ),
    ),
    translations={
        "german": Script(
            facts=(
                {"frist": "vier Wochen zum Monatsende", "ende": "31. Dezember"},
                {"frist": "zwei Monate zum Monatsende", "ende": "31. Januar"},
                {"frist": "drei Monate zum Monatsende", "ende": "28. Februar"},
                {"frist": "zwei Wochen in der Probezeit", "ende": "4. Dezember"},
                {"frist": "sechs Wochen zum Quartalsende", "ende": "31. Dezember"},
            ),
            slots={
                "grund": (
                    "ich habe eine neue Stelle gefunden",
                    "ich ziehe in eine andere Stadt",
                    "ich fange ein Studium an",
                    "ich halte den Stress nicht mehr aus",
                    "ich mache mich selbstständig",
                ),
                "ton": ("freundlich", "kurz und sachlich", "förmlich", "höflich, aber bestimmt"),
            },
            contexts=(
                "Ich arbeite seit sechs Jahren in dem Betrieb.",
                "Meine Kündigungsfrist beträgt laut Vertrag {frist}.",
                "Bisher weiß noch niemand davon.",
            ),
            openings=(
                "Kannst du mir ein Kündigungsschreiben formulieren? Mein letzter Tag soll der {ende} sein.",
                "Wie kündige ich meinen Arbeitsvertrag richtig? Die Frist beträgt {frist}.",
                "<Kündigung Arbeitnehmer Vorlage|Kündigungsschreiben Arbeitsvertrag Muster|Kündigung zum {ende}>, {ton}",
                "Ich möchte kündigen, {grund}. Muss ich das als Grund angeben?",
                "Schreib mir bitte eine Kündigung, {ton}, zum {ende}.",
                "Reicht eine E-Mail für die Kündigung oder brauche ich einen Brief?",
                "Wie sage ich meiner Chefin, dass ich gehe, bevor ich ihr das Schreiben gebe?",
                "Mein neuer Arbeitgeber will, dass ich bald anfange, aber meine Frist beträgt {frist}. Komme ich früher aus dem Vertrag?",
                "Was ist mit meinem Resturlaub, wenn ich zum {ende} kündige?",
            ),
            details=(
                "Ein gutes Zeugnis ist mir wichtig.",
                "Der Ton soll so sein: {ton}.",
                "Ich habe noch elf Tage Urlaub.",
            ),
            personal=(
                "Unterschreiben würde ich mit {full_name}.",
                "Das Schreiben geht an {colleague}.",
                "Meine private Adresse ist {email}.",
            ),
            answers=(
                "Zum Beispiel so:\n\n„Sehr geehrte Damen und Herren,\n\nhiermit kündige ich mein Arbeitsverhältnis fristgerecht zum {ende}, hilfsweise zum nächstmöglichen Zeitpunkt. Bitte bestätigen Sie mir den Erhalt dieses Schreibens und das Datum der Beendigung schriftlich. Außerdem bitte ich um ein qualifiziertes Arbeitszeugnis.\n\nMit freundlichen Grüßen“",
                "Eine Kündigung muss in Deutschland auf Papier stehen und von Hand unterschrieben sein; eine E-Mail, ein Fax oder ein Scan reichen nicht. Geben Sie sie persönlich ab und lassen Sie sich den Empfang quittieren.",
                "Einen Grund brauchen Sie nicht zu nennen. Entscheidend sind das Datum, die Frist und Ihre Unterschrift. Die Frist beginnt erst, wenn das Schreiben beim Arbeitgeber angekommen ist.",
                "Sprechen Sie zuerst persönlich mit Ihrer Vorgesetzten und übergeben Sie das Schreiben am selben Tag. Wollen Sie vor dem {ende} gehen, geht das nur im Einvernehmen, mit einem Aufhebungsvertrag.",
            ),
            exchanges=(
                Exchange(
                    ("Was passiert mit meinem Resturlaub?", "Kann ich den Urlaub vorher noch nehmen?"),
                    (
                        "In der Regel nehmen Sie ihn bis zum {ende}. Ist das aus betrieblichen Gründen nicht möglich, muss er ausgezahlt werden.",
                    ),
                ),
                Exchange(
                    ("Bekomme ich eine Sperrzeit beim Arbeitslosengeld?", "Wie ist das mit dem Arbeitsamt?"),
                    (
                        "Wer ohne wichtigen Grund selbst kündigt, muss mit bis zu zwölf Wochen Sperrzeit rechnen. Melden Sie sich rechtzeitig arbeitsuchend, spätestens drei Monate vor dem Ende oder innerhalb von drei Tagen, nachdem Sie es wissen.",
                    ),
                ),
                Exchange(
                    ("Wann sage ich es den Kollegen?", "Wie verabschiede ich mich vom Team?"),
                    (
                        "Erst nach der Vorgesetzten, und am besten stimmen Sie den Tag mit ihr ab. Eine kurze, freundliche Nachricht genügt.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    (
                        "Die Personalabteilung sagt, der {ende} stimmt nicht.",
                        "Meine Kündigung wurde so nicht akzeptiert.",
                    ),
                    (
                        "Das tut mir leid. Vermutlich gilt eine längere Frist aus dem Vertrag oder einem Tarifvertrag. Lassen Sie sich die Stelle zeigen; wegen des Zusatzes „hilfsweise zum nächstmöglichen Zeitpunkt“ bleibt die Kündigung trotzdem wirksam.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            slots={
                "aviso": ("quince días", "un mes", "dos meses", "treinta días"),
                "fecha": ("30 de noviembre", "15 de diciembre", "31 de diciembre", "15 de enero"),
                "motivo": (
                    "he encontrado otro trabajo",
                    "me mudo a otra ciudad",
                    "voy a retomar los estudios",
                    "el estrés me está pasando factura",
                    "voy a montar mi propio negocio",
                ),
                "tono": ("cordial", "breve y neutro", "formal", "agradecido"),
            },
            contexts=(
                "Llevo cinco años en la empresa.",
                "Según mi contrato tengo que avisar con {aviso}.",
                "Todavía no se lo he dicho a nadie.",
            ),
            openings=(
                "¿Me escribes una carta de renuncia? Mi último día sería el {fecha}.",
                "¿Cómo dejo mi trabajo de buenas maneras? {Motivo}.",
                "<carta de baja voluntaria|modelo de carta de renuncia|preaviso de {aviso}>, tono {tono}",
                "Quiero dejar la empresa porque {motivo}. ¿Tengo que explicar el motivo?",
                "Redacta una baja voluntaria en un tono {tono}, con fecha del {fecha}.",
                "¿Basta con un correo o tengo que entregar la carta en papel?",
                "¿Qué pasa si no cumplo el preaviso de {aviso}?",
                "¿Cómo le digo a mi jefe que me voy antes de entregar la carta?",
                "Me voy el {fecha} y me quedan vacaciones sin disfrutar. ¿Las pierdo?",
            ),
            details=(
                "Me gustaría irme en buenos términos.",
                "Que sea en tono {tono}, por favor.",
                "Me quedan seis días de vacaciones.",
            ),
            personal=("La firmaría {full_name}.", "Va dirigida a {colleague}.", "Mi correo personal es {email}."),
            answers=(
                "Por ejemplo:\n\n«Por la presente les comunico mi decisión de causar baja voluntaria en la empresa, con efectos del {fecha}, respetando el preaviso de {aviso}. Agradezco la confianza de estos años y quedo a su disposición para facilitar el traspaso de mis tareas.\n\nAtentamente»",
                "No hace falta explicar los motivos. La carta solo necesita tu nombre, la decisión de irte, el último día y tu firma. Lleva dos copias y pide que te sellen una como recibida.",
                "En España el preaviso suele ser de quince días, salvo que el convenio o el contrato digan otra cosa. Si no lo cumples, la empresa puede descontarte del finiquito los días que falten.",
                "Habla primero con tu jefe en persona y entrega la carta ese mismo día. Basta con decir: «He decidido irme; mi último día sería el {fecha} y quiero dejarlo todo bien organizado».",
            ),
            exchanges=(
                Exchange(
                    ("¿Qué incluye el finiquito?", "¿Me pagan las vacaciones que no he disfrutado?"),
                    (
                        "Los días trabajados del mes, la parte de las pagas extra y las vacaciones pendientes. Con una baja voluntaria no hay indemnización.",
                    ),
                ),
                Exchange(
                    ("¿Tengo derecho a paro?", "Si me voy yo, ¿puedo cobrar el desempleo?"),
                    (
                        "Con una baja voluntaria, por regla general no. Las cotizaciones no se pierden y contarán más adelante.",
                    ),
                ),
                Exchange(
                    ("¿Y si me hacen una contraoferta?", "¿Qué hago si me ofrecen más dinero?"),
                    (
                        "Pregúntate si el dinero era el motivo. Si no lo era, en seis meses estarás igual. Tómate un día y pídelo todo por escrito.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("La empresa no acepta el {fecha}.", "Me dicen que tengo que quedarme más tiempo."),
                    (
                        "Lo siento. Pide que te enseñen el artículo del convenio o del contrato que fija el plazo. Si de verdad son {aviso}, puedes mantener tu fecha por escrito.",
                    ),
                ),
            ),
        ),
    },
)

_CAREER_CHANGE = Intent(
    domain="career",
    name="career_change",
    weight=0.9,
    weekend=1.4,
    script=Script(
        facts=(
            {
                "old": "teacher",
                "new": "learning designer",
                "bridge": "planning lessons, judging results and explaining things are what the work consists of",
                "step": "turn one of your lessons into a short online course and use it as a work sample",
                "gap": "authoring tools and project work with clients",
            },
            {
                "old": "nurse",
                "new": "clinical data manager",
                "bridge": "you know how the data comes about and what's missing in practice",
                "step": "take a course in good clinical practice and learn enough SQL to read a table",
                "gap": "databases and the rules for studies",
            },
            {
                "old": "cook",
                "new": "quality inspector in the food industry",
                "bridge": "hygiene rules, pressure of time and goods are familiar to you",
                "step": "get a HACCP certificate, which takes a few days",
                "gap": "writing reports and auditing",
            },
            {
                "old": "bookkeeper",
                "new": "data analyst",
                "bridge": "you're used to checking numbers and explaining them",
                "step": "answer one question with public data, in SQL and a dashboard, and put it online",
                "gap": "SQL, statistics and some Python",
            },
            {
                "old": "retail manager",
                "new": "customer success manager",
                "bridge": "targets, complaints and leading people are the same",
                "step": "talk to three people in that job and collect the words they use",
                "gap": "software contracts and renewal figures",
            },
            {
                "old": "journalist",
                "new": "UX writer",
                "bridge": "you ask, listen and cut, which is most of the work",
                "step": "rewrite the texts of an app you dislike and explain each change",
                "gap": "design tools and testing with users",
            },
            {
                "old": "truck driver",
                "new": "dispatcher",
                "bridge": "you know the routes, the driving times and what goes wrong on the road",
                "step": "ask your present company for a week in the office",
                "gap": "planning software and customer contact",
            },
            {
                "old": "lawyer",
                "new": "compliance officer",
                "bridge": "reading rules and weighing risks remain at the centre",
                "step": "offer to build a small training or policy where you are",
                "gap": "processes inside a company",
            },
            {
                "old": "carpenter",
                "new": "site manager",
                "bridge": "you can judge work and time better than anyone from an office",
                "step": "ask to lead one small site from start to finish",
                "gap": "tenders, cost control and paperwork",
            },
        ),
        slots={
            "age": ("28", "34", "39", "45", "52"),
            "worry": (
                "I can't afford to earn much less",
                "I have two kids",
                "I don't want to study for years again",
                "everyone else will be younger",
                "I have no contacts in the field",
                "my family thinks I'm crazy",
            ),
            "trigger": (
                "my back won't take it for much longer",
                "I'm bored",
                "the shifts are killing me",
                "my job may not exist in five years",
                "I'd like to work from home",
                "I've wanted it for years",
            ),
        },
        contexts=(
            "I've been a {old} for <eight|eleven|fifteen> years.",
            "I'm {age} and {trigger}.",
            "What holds me back is that {worry}.",
            "I'm still employed and could learn in the evenings.",
            "I have savings for about <four|six|nine> months.",
        ),
        openings=(
            "How do I switch from {old} to {new}?",
            "I'm {age}, a {old}, and {trigger}. <Is it too late to become a {new}?|Can I still change careers?|What could I do instead?>",
            "career change {old} to {new}",
            "Which of my skills as a {old} are useful for a {new}?",
            "Should I quit my job as {old} first or look for something while I'm still employed?",
            "Make me a six-month plan for getting from {old} to {new}.",
            "I want out. I'm a {old} and {trigger}, but {worry}.",
            "What jobs can a {old} move into without another degree?",
            "Do I need a certificate to work as a {new}, or is a portfolio enough?",
            "How do I explain in an application why a {old} wants to be a {new}?",
            "Is {age} too old to start over as a {new}?",
            "<Career change at {age}|Jobs for former {old}s|Retraining as a {new}|Transferable skills {old}>",
            "I've sent applications for {new} and they all go to people with experience. {Trigger}, so staying isn't an option. What can a {old} do to get a foot in the door?",
            "Would I have to take a pay cut going from {old} to {new}? <I can't live on much less.|At {age} that would be hard.>",
            "Help me find out whether {new} is really something for me before I give up everything.",
        ),
        details=(
            "My worry is that {worry}.",
            "I could start learning right away.",
            "I'm {age}.",
            "Moving isn't possible.",
            "I've read a lot, but I don't know anybody in that field.",
        ),
        personal=(
            "A friend of mine, {colleague}, did the same two years ago.",
            "My profile is under {full_name}.",
            "If there's a checklist, I'd like it at {email}.",
        ),
        answers=(
            "From {old} to {new} is a shorter way than it seems: {bridge}. What's missing is {gap}. The first step: {step}.",
            "Test it before you decide. Talk to two or three people who do that job, ask what a bad day looks like, and do a small piece of the work yourself: {step}.",
            "A plan for six months:\n\n1. Month 1: read twenty job ads and note what they all ask for\n2. Months 2 and 3: learn the basics of {gap}\n3. Month 4: {step}\n4. Months 5 and 6: apply, first through people you know\n\n<Stay in your job meanwhile; it keeps the pressure low.|Reserve two fixed evenings a week, that's enough.>",
            "Age is less of a problem than a missing story. Yours can build on this: {bridge}. Add that you've already begun to learn about {gap}, and practise it until it takes thirty seconds.",
            "Keep the job until you have an offer, if your health allows it. Work out how many months your savings last, expect a lower salary for the first year or two, and set a date for deciding. <A smaller step inside your present company counts too.|Half a step, such as a similar role in the new industry, is often easier than both at once.>",
            "Look for the overlap: list ten things you do as a {old}, mark what you'd like to keep, and search the ads for these words instead of titles. {New} is one result of that, since {bridge}.",
        ),
        clarifications=(
            Clarification(
                "What would you like to get away from, and what should stay?",
                (
                    "{trigger}, but I like my colleagues",
                    "the hours. The people may stay",
                    "mostly the money and the hours",
                ),
            ),
            Clarification(
                "How much time and money can you put into learning?",
                ("about six hours a week", "not much, {worry}", "a year, if it has to be"),
            ),
        ),
        mistakes=(
            Mistake(
                "For a job as {new} you have to go back to university for a full degree.",
                ("Are you sure? I know someone who did it without", "the ads I've seen don't ask for a degree"),
                "You're right, I'm sorry, that was too sweeping. Many get in with experience and a work sample. More useful would be to {step}, and to learn about {gap}.",
            ),
        ),
        exchanges=(
            Exchange(
                ("How do I find people to talk to?", "who would talk to a stranger about their job?"),
                (
                    "Write to former colleagues and alumni first: “I'm thinking about this field, could I ask you three questions in fifteen minutes?” About one in three says yes.",
                    "Look for people who made the same change, they like to tell about it. Meet-ups and professional associations work too.",
                ),
            ),
            Exchange(
                ("How much less would I earn at the beginning?", "what about the money in the first year"),
                (
                    "Expect a step back, often 10 to 20%, if you start as a beginner. Try to have your earlier years counted, since {bridge}.",
                    "It depends on the region, so look at ten ads with figures. Work out your minimum first and don't go below it.",
                ),
            ),
            Exchange(
                ("Which course would you recommend?", "are bootcamps worth it?"),
                (
                    "Take the shortest one that ends with something you can show. Ask for the placement rate and talk to graduates before you pay.",
                    "A cheap course to test your interest first, an expensive one only if the ads ask for it by name. Check for public funding as well.",
                ),
            ),
            Exchange(
                ("How do I write that in my CV?", "what do I put at the top of the resume"),
                (
                    "Put the target in the headline, the transferable results first, and the new skills with proof above the old job titles.",
                    "Begin with a two-line profile that names both worlds, then the work sample, then your experience as {old} in words that a {new} would use.",
                ),
            ),
            Exchange(
                ("How do I tell my family?", "my partner is against it, any advice?"),
                (
                    "Show the numbers: savings, minimum income, date for a decision. A plan with an exit is easier to accept than a dream.",
                    "Ask what worries them most and plan for precisely that. A trial of three months beside the job often settles it.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "I tried that. They all want two years of experience",
                    "twenty applications as {new}, twenty rejections",
                ),
                (
                    "I'm sorry, that's hard. Look for positions in between, where being a {old} is an advantage, and replace cold applications by conversations.",
                    "Then the proof is missing, not the ability. Do one small job for a club or a friend's business, so that you have something to show.",
                ),
            ),
            Exchange(
                ("That's not realistic for me, {worry}", "Easy to say. Did you read that {worry}?"),
                (
                    "You're right, sorry, I passed over that. Let's make it smaller: keep the job, three hours a week, and decide again after three months.",
                    "I apologise. Then start inside your present company: ask for a task that touches {gap}, without any risk to your income.",
                ),
            ),
        ),
    ),
)

INTENTS = (_INTERVIEW_PRACTICE, _RESUME_REVIEW, _SALARY_NEGOTIATION, _RESIGNATION_LETTER, _CAREER_CHANGE)

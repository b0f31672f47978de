"""Help with programming: errors, patterns, version control, tests and page layout."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_PYTHON_ERROR = Intent(
    domain="coding",
    name="python_error",
    weight=1.8,
    weekend=0.7,
    script=Script(
        facts=(
            {
                "error": "KeyError: 'price'",
                "short": "KeyError",
                "code": "```python\ntotal = 0\nfor row in rows:\n    total += row['price'] * row['quantity']\n```",
                "cause": "at least one dictionary in `rows` has no key `price`, for instance because a column is called `Price` or is missing in one record",
                "fix": "Use `row.get('price', 0)` if a missing price may count as zero, otherwise print `row.keys()` for the row that fails.",
                "fixed": "```python\nfor number, row in enumerate(rows):\n    if 'price' not in row:\n        raise ValueError('row ' + str(number) + ' has only ' + str(sorted(row)))\n```",
            },
            {
                "error": "TypeError: 'NoneType' object is not subscriptable",
                "short": "NoneType error",
                "code": "```python\nuser = find_user(user_id)\nprint(user['name'])\n```",
                "cause": "`find_user` returned None, so there's nothing to take `['name']` from. Functions without a `return` on some path do that",
                "fix": "Check the result before you use it, and look for the branch of the function that ends without a return.",
                "fixed": "```python\nuser = find_user(user_id)\nif user is None:\n    raise LookupError('no user ' + str(user_id))\nprint(user['name'])\n```",
            },
            {
                "error": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe4",
                "short": "UnicodeDecodeError",
                "code": "```python\nwith open('customers.csv') as file:\n    lines = file.readlines()\n```",
                "cause": "the file isn't UTF-8. Byte 0xe4 is an “ä” in Latin-1 and Windows-1252, which spreadsheet exports often use",
                "fix": "Say which encoding the file has when you open it, and save it as UTF-8 afterwards.",
                "fixed": "```python\nwith open('customers.csv', encoding='cp1252') as file:\n    lines = file.readlines()\n```",
            },
            {
                "error": "ModuleNotFoundError: No module named 'requests'",
                "short": "ModuleNotFoundError",
                "code": "```\n$ pip install requests\nRequirement already satisfied\n$ python report.py\nModuleNotFoundError: No module named 'requests'\n```",
                "cause": "`pip` and `python` belong to two different interpreters, so the package was installed where your script doesn't look",
                "fix": "Install with the interpreter that runs the script, best inside a virtual environment.",
                "fixed": "```bash\npython -m venv .venv\nsource .venv/bin/activate\npython -m pip install requests\npython report.py\n```",
            },
            {
                "error": "IndexError: list index out of range",
                "short": "IndexError",
                "code": "```python\nfor i in range(len(values)):\n    if values[i] == values[i + 1]:\n        print('duplicate', values[i])\n```",
                "cause": "in the last round `i + 1` points one past the end of the list",
                "fix": "Stop one element earlier, or let `zip` pair the neighbours so that no index is needed.",
                "fixed": "```python\nfor current, following in zip(values, values[1:]):\n    if current == following:\n        print('duplicate', current)\n```",
            },
            {
                "error": "RecursionError: maximum recursion depth exceeded",
                "short": "RecursionError",
                "code": "```python\ndef depth(node):\n    return 1 + max(depth(child) for child in node.parent.children)\n```",
                "cause": "the function calls itself on the children of the parent, and the node is one of them, so it never gets any deeper",
                "fix": "Recurse into the node's own children and give the empty case a value.",
                "fixed": "```python\ndef depth(node):\n    return 1 + max((depth(child) for child in node.children), default=0)\n```",
            },
            {
                "error": "ValueError: invalid literal for int() with base 10: '12.50'",
                "short": "ValueError",
                "code": "```python\namount = int(input('Amount: '))\n```",
                "cause": "`int()` only takes whole numbers in text form, and '12.50' has a decimal point",
                "fix": "Convert with `float`, or with `Decimal` if it's about money.",
                "fixed": "```python\nfrom decimal import Decimal\n\namount = Decimal(input('Amount: ').strip())\n```",
            },
            {
                "error": "AttributeError: 'str' object has no attribute 'strftime'",
                "short": "AttributeError",
                "code": "```python\ncreated = record['created_at']\nprint(created.strftime('%d.%m.%Y'))\n```",
                "cause": "the date is still text. JSON has no date type, so what comes out of it is a string",
                "fix": "Parse it first, for ISO dates with `datetime.fromisoformat`.",
                "fixed": "```python\nfrom datetime import datetime\n\ncreated = datetime.fromisoformat(record['created_at'])\nprint(created.strftime('%d.%m.%Y'))\n```",
            },
            {
                "error": "UnboundLocalError: cannot access local variable 'counter'",
                "short": "UnboundLocalError",
                "code": "```python\ncounter = 0\n\ndef handle(event):\n    counter += 1\n```",
                "cause": "the assignment makes `counter` a local name of the function, so the outer one isn't seen and there's no value yet",
                "fix": "Keep the count in an object or return it. `global counter` works too, but it makes testing harder.",
                "fixed": "```python\nfrom itertools import count\n\nnumbers = count(1)\n\ndef handle(event):\n    return next(numbers)\n```",
            },
        ),
        slots={
            "where": (
                "a script for work",
                "my homework",
                "a Flask app",
                "a small scraper",
                "a Jupyter notebook",
                "our nightly job",
                "a Discord bot",
            ),
            "version": ("3.9", "3.10", "3.11", "3.12", "3.13"),
        },
        contexts=(
            "I'm <learning|new to> Python and working on {where}.",
            "This is part of {where}.",
            "It ran without problems <last week|on my colleague's machine|yesterday>.",
            "I've been staring at this for <an hour|two hours|half the afternoon>.",
            "Python {version}, nothing special installed.",
            "I inherited {where} from someone who left.",
        ),
        openings=(
            "Why do I get `{error}` <here|in this code>?\n\n{code}",
            "I get this error: {error}\n\n{code}\n\n<What am I doing wrong?|How do I fix it?>",
            "python {short}, <what does it mean|how to fix>",
            "<Can you|Could you> help me debug this?\n\n{code}\n\nIt fails with {error}.",
            "My code in {where} crashes with {error}. <What does that mean?|I don't understand why.>",
            "{code}\n\n-> {error}",
            "I need to get rid of a {short} in {where}. The message is `{error}`.",
            "What's the cause of {error} when it only happens <sometimes|with some inputs|on the server>?",
            "Explain this error <like I'm a beginner|in simple words> please: {error}",
            "Fix this for me:\n{code}\n{error}",
            "Is a {short} something I should catch with try/except or is my code wrong? This is it:\n\n{code}",
            "After upgrading to Python {version} {where} fails with {error}. <Is that related?|Did something change?>",
            'Traceback (most recent call last):\n  File "main.py", line <7|12|31|48|104>, in <module>\n{error}\n\n<help|any idea?|what now?>',
            "I'm stuck on a {short} since this morning. It's {where} and this is the part that breaks:\n{code}",
            "How can I find out which <row|input|value> triggers `{error}`?",
        ),
        details=(
            "I'm on Python {version}.",
            "The rest of the script works.",
            "It happens on Windows and Mac.",
            "I'd also like to understand why, not only the fix.",
            "I can post more of the code if needed.",
        ),
        personal=(
            "My instructor {colleague} says it's a classic.",
            "I'm {full_name}, by the way, from the evening course.",
            "You can also send it to {email}.",
        ),
        answers=(
            "The error `{error}` means that {cause}. {fix}\n\n{fixed}",
            "What happens here: {cause}. {fix}",
            "That's a common one. In your case {cause}.\n\n{fix} For example:\n\n{fixed}\n\n<Run it again and tell me what it prints.|If the message changes, post the new one.>",
            "Read the last line of the traceback first: `{error}`. It tells you that {cause}. <The line number above it shows where.|The lines above show the way there.> {fix}",
            "Here's a version that avoids the {short}:\n\n{fixed}\n\nThe reason it failed before is that {cause}.",
            "You could catch the {short} with try/except, but that only hides it: {cause}. {fix} <A catch is right only where you can do something sensible about it.|Let it fail loudly until the cause is gone.>",
        ),
        clarifications=(
            Clarification(
                "Could you post the complete traceback, and say which Python version you use?",
                (
                    "It's Python {version}, and the traceback ends with {error}",
                    "python {version}. The rest is just my own function names",
                    "That's all there is, one line: {error}",
                ),
            ),
            Clarification(
                "Does it happen with every input, or only with certain ones?",
                ("only with some", "every time", "seems random to me"),
            ),
        ),
        exchanges=(
            Exchange(
                ("How would I <write a test for|test> that?", "can you show me a test so this doesn't come back"),
                (
                    "With pytest, feed it the input that failed and state what should happen:\n\n```python\ndef test_handles_the_input_that_failed():\n    assert process(failing_input) == expected\n```\n\nReplace the two names with your own values.",
                    "Take the smallest input that shows the {short}, call your function with it and assert the result. If it should be refused, use `pytest.raises`.",
                ),
            ),
            Exchange(
                ("Is there a more pythonic way?", "can this be shorter?"),
                (
                    "Slightly: give the step its own function with a clear name, then the loop becomes one line. Shorter than that costs readability.",
                    "You could use a comprehension, but with the check inside I'd keep the plain loop. It's easier to step through.",
                ),
            ),
            Exchange(
                ("How do I step through it in a debugger?", "how can I see the variables when it crashes"),
                (
                    "Put `breakpoint()` in the line before it fails and run the script; in the prompt, `p name` prints a variable and `n` goes to the next line.",
                    "Run `python -m pdb main.py` and type `c`. When it crashes you're dropped at the failing line and can look at every variable.",
                ),
            ),
            Exchange(
                ("Should I log the error instead of printing it?", "what's the right way to log this?"),
                (
                    "Use `logging.exception('could not process record')` inside the except block; it adds the traceback by itself.",
                    "Yes, for anything that runs unattended. `logger.exception(...)` keeps message and traceback together.",
                ),
            ),
            Exchange(
                ("Would type hints have caught this?", "could mypy find such errors before i run it"),
                (
                    "Often. With annotations a type checker complains about a value that may be None, or about text where a number is expected. It can't know what is inside a file, though.",
                    "In part: types of your own functions yes, the content of external data no. For data, validate at the border.",
                ),
            ),
            Exchange(
                (
                    "ok that works, but now it's <slow|very slow> with <a large file|a lot of rows>",
                    "It works now! Any idea why it takes so long though?",
                ),
                (
                    "Measure before changing anything: `python -m cProfile -s cumtime main.py` shows where the time goes. Usually it's a lookup in a list that should be a set or dict.",
                    "Look for a loop inside a loop. Building a dictionary once and looking things up in it turns minutes into seconds.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("I still get {error}", "Nope, same {short} as before", "that changed nothing, exact same error"),
                (
                    "Sorry. Then the failing line is a different one, or an old version of the file is being run. Print something at the top to make sure, and post the full traceback.",
                    "Let's narrow it down: put `print(repr(value))` right before the line in the traceback. What it shows just before the crash is the culprit.",
                ),
            ),
            Exchange(
                (
                    "now I have a different error, SyntaxError in the line you gave me",
                    "Your code doesn't even run, IndentationError",
                ),
                (
                    "I apologise, the indentation probably got mixed while pasting. Re-indent the block with four spaces, no tabs, and run it once more.",
                    "My apologies. Check that no backticks from the chat were copied along and that the block has the same indentation as its surroundings.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "The {short} comes from an outdated Python version. Upgrade to the newest release and it will disappear.",
                (
                    "I'm already on the newest one, so that can't be it",
                    "upgraded, no change. I don't think it's the version",
                ),
                "You're right, the version has nothing to do with it, sorry. The actual cause: {cause}. {fix}",
            ),
            Mistake(
                "Wrap the whole script in `try: ... except: pass` and the error is gone.",
                (
                    "That just hides it, and then the result is wrong",
                    "isn't that bad advice? now it prints nothing at all",
                ),
                "Fair point, that was poor advice and I'm sorry. The real cause is that {cause}. {fix}",
            ),
        ),
    ),
)

_REGEX_PATTERN = Intent(
    domain="coding",
    name="regex_pattern",
    weight=0.9,
    weekend=0.7,
    script=Script(
        facts=(
            {
                "target": "dates like 2026-11-03",
                "pattern": "\\b\\d{4}-\\d{2}-\\d{2}\\b",
                "parts": "`\\d{4}` takes four digits, `\\d{2}` two, and the `\\b` at both ends keep it from matching inside longer numbers",
                "miss": "3.11.2026",
            },
            {
                "target": "order numbers such as AB-10442",
                "pattern": "\\b[A-Z]{2}-\\d{5}\\b",
                "parts": "`[A-Z]{2}` stands for exactly two capitals, `-` for itself and `\\d{5}` for five digits",
                "miss": "ab-10442",
            },
            {
                "target": "prices with an optional decimal part",
                "pattern": "\\d+(?:\\.\\d{2})?",
                "parts": "`\\d+` is the whole part and the group `(?:\\.\\d{2})?` adds a dot and two digits, once or not at all",
                "miss": "1,299.00",
            },
            {
                "target": "hashtags in a text",
                "pattern": "#\\w+",
                "parts": "`#` is literal and `\\w+` takes letters, digits and underscores until something else comes",
                "miss": "#c++",
            },
            {
                "target": "lines that start with ERROR or WARN",
                "pattern": "^(?:ERROR|WARN)\\b.*$",
                "parts": "`^` and `$` tie it to a whole line in multiline mode, the group lists the two words and `.*` takes the rest",
                "miss": "error: lower case",
            },
            {
                "target": "the text between double quotes",
                "pattern": '"([^"]*)"',
                "parts": '`[^"]*` takes everything that is no quote, so it stops at the first closing one',
                "miss": 'a quote with an escaped \\" inside',
            },
            {
                "target": "British postcodes",
                "pattern": "\\b[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}\\b",
                "parts": "the first half is one or two letters, a digit and perhaps one more character, the second half always a digit and two letters",
                "miss": "sw1a1aa in lower case",
            },
            {
                "target": "version numbers such as 2.14.0",
                "pattern": "\\b\\d+\\.\\d+\\.\\d+\\b",
                "parts": "three runs of digits with escaped dots between them, because a bare dot would match anything",
                "miss": "v2.14",
            },
            {
                "target": "file names that end in .csv or .tsv",
                "pattern": "[\\w.-]+\\.[ct]sv$",
                "parts": "`[\\w.-]+` is the name, `[ct]` is either letter and `$` makes sure that nothing follows",
                "miss": "report.csv.gz",
            },
            {
                "target": "words that are repeated by accident, like 'the the'",
                "pattern": "\\b(\\w+)\\s+\\1\\b",
                "parts": "`(\\w+)` remembers a word and `\\1` asks for the same word again after some space",
                "miss": "The the",
            },
        ),
        slots={
            "tool": (
                "Python",
                "JavaScript",
                "grep",
                "VS Code's search",
                "Notepad++",
                "sed",
                "Google Sheets",
                "a log viewer",
            ),
            "source": (
                "a log file",
                "a folder of text files",
                "customer comments",
                "an export from our shop",
                "a long document",
                "an HTML dump",
            ),
        },
        contexts=(
            "I'm going through {source} in {tool}.",
            "Regular expressions and I will never be friends.",
            "I have {source} with about <10,000|40,000|2 million> lines.",
            "I need it in {tool}.",
            "The file is a mess, <nobody|no one> kept to one format.",
        ),
        openings=(
            "<What's a regex|I need a regex|Give me a regular expression> for {target}.",
            "How do I <match|find> {target} with a regular expression in {tool}?",
            "regex {target}",
            "Can you explain what `{pattern}` does<?| exactly?| step by step?>",
            "My pattern for {target} also matches things it shouldn't<, see `{pattern}`|>. How do I make it stricter?",
            "Why doesn't `{pattern}` find anything in {tool}?",
            "I want to pull {target} out of {source}. <Regex or something else?|What's the pattern?>",
            "Write a pattern that finds {target} but not {miss}, please.",
            "I'm trying to replace {target} with a placeholder in {source} using {tool}",
            "Is there a regex that validates {target}? <I only get half of them.|Mine misses some.>",
            "The regex I found online for {target} is huge. Is `{pattern}` good enough?",
            "In {tool} I need to count {target}, how would the expression look like?",
            "Need a capture group around {target}, {tool} syntax",
            "`{pattern}` works in the online tester but not in {tool}, what's different?",
            "Turn this into a regular expression: {target}, anywhere in {source}, ignoring case.",
        ),
        details=(
            "It has to work in {tool}.",
            "Lower case doesn't occur.",
            "There may be several per line.",
            "I'd like to understand it, not just paste it.",
            "Performance matters a bit.",
        ),
        personal=(
            "The file is from {colleague}, who left no notes.",
            "One line, for example, reads “contact {full_name}”.",
        ),
        answers=(
            "This one finds {target}:\n\n```\n{pattern}\n```\n\nPiece by piece: {parts}.",
            "`{pattern}` does it: {parts}. <Test it on a few lines that should not match as well, such as {miss}.|It deliberately leaves out {miss}.>",
            "For {target} I'd use `{pattern}`. In {tool} remember to switch on the regular expression mode, and that some tools need every backslash doubled. {miss} is not matched; say so if you need it.",
            "Let's build it up. You want {target}, so {parts}. Together:\n\n```\n{pattern}\n```\n\n<Use the global flag to get all hits.|Without anchors it can match anywhere in a line.>",
            "In Python it would be:\n\n```python\nimport re\n\npattern = re.compile(r'{pattern}')\nhits = pattern.findall(text)\n```\n\nHere {parts}.",
            "The difference between tools is mostly in the details: {tool} may not know `\\d` or `\\b`, in which case write `[0-9]` and spell out the boundaries. The idea stays: {parts}. Full pattern: `{pattern}`",
        ),
        clarifications=(
            Clarification(
                "Which tool or language will it run in? The dialects differ a little.",
                ("{tool}", "it's for {tool}", "{tool}, latest version"),
            ),
            Clarification(
                "Can you show one line that should match and one that shouldn't?",
                (
                    "should match: {target}. should not: {miss}",
                    "not {miss}, that's all I know",
                    "The lines are all different, sorry",
                ),
            ),
        ),
        exchanges=(
            Exchange(
                ("What if I want to ignore upper and lower case?", "can it be case insensitive"),
                (
                    "Add the flag `i`: `re.IGNORECASE` in Python, `/.../i` in JavaScript, `-i` with grep.",
                    "Put `(?i)` in front of the pattern if your tool allows inline flags, otherwise use its switch for case.",
                ),
            ),
            Exchange(
                ("How do I only get the part in the middle?", "I need just the digits, not the whole match"),
                (
                    "Put parentheses around that part and read group 1 instead of the whole match.",
                    "Use a capture group: `(` and `)` around what you want. With `findall` Python returns only the group.",
                ),
            ),
            Exchange(
                ("It takes too much, up to the last one in the line", "why is it greedy and how do I stop that"),
                (
                    "Quantifiers take as much as they can. Add a `?` after the `*` or `+` to make it lazy, or exclude the closing character, which is faster.",
                    "Replace `.*` by a class that can't run past the end, such as `[^,]*`.",
                ),
            ),
            Exchange(
                ("Can it also match {miss}?", "what would I change so that {miss} is found too?"),
                (
                    "You'd loosen the part that rules it out and add an optional group for it. I'd rather use a second pattern, it stays readable.",
                    "Yes: allow both forms with an alternation in a group. Check afterwards that nothing else slips through.",
                ),
            ),
            Exchange(
                ("How do I replace them with something?", "what's the replacement syntax in {tool}?"),
                (
                    "The whole match is usually `$0` or `\\0`, groups are `$1` or `\\1`. In Python: `re.sub(pattern, 'X', text)`.",
                    "Search with the pattern, replace with your text; refer to groups by `$1` in most editors and by `\\1` in sed and Python.",
                ),
            ),
            Exchange(
                ("What does the \\b do again?", "and why the question mark after the group"),
                (
                    "`\\b` is the border between a word character and anything else. It takes up no character itself.",
                    "A question mark after a group means “once or not at all”; after a quantifier it means “as few as possible”.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("No match at all", "it finds nothing in {tool}", "0 results."),
                (
                    "Sorry. Check for non-breaking spaces and other look-alikes in {source}, and try the first half of the pattern alone to see where it stops.",
                    "Then {tool} probably uses the basic dialect. Try `-E` or the “extended” switch, or write `[0-9]` for `\\d`.",
                ),
            ),
            Exchange(
                ("It matches {miss} as well, which I said I DON'T want", "now it matches far too much"),
                (
                    "You're right. Tie the pattern down with `^` and `$` if it has to fill the line, or add a negative lookahead in front.",
                    "I apologise. Add word boundaries on both ends and leave the ignore-case flag off; that excludes it.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Use `.*` for {target}. It matches everything you need.",
                ("That matches literally everything", "well, yes, it also matches the whole rest of the file"),
                "True, that was useless, sorry. A pattern that is specific to {target} is `{pattern}`, where {parts}.",
            ),
        ),
    ),
)

_GIT_UNDO = Intent(
    domain="coding",
    name="git_undo",
    weight=1.1,
    weekend=0.6,
    script=Script(
        facts=(
            {
                "mess": "committed to main instead of my feature branch",
                "command": "git branch feature/report\ngit reset --hard HEAD~1\ngit switch feature/report",
                "why": "the new branch keeps your commit, and main goes back by one",
                "safe": "nothing has been pushed yet",
            },
            {
                "mess": "have a merge conflict in package-lock.json",
                "command": "git checkout --theirs package-lock.json\nnpm install\ngit add package-lock.json",
                "why": "a lock file is generated, so taking one side and regenerating is safer than editing it",
                "safe": "package.json itself has no conflict",
            },
            {
                "mess": "pushed a file with a password in it",
                "command": "git rm --cached .env\necho .env >> .gitignore\ngit commit -m 'Stop tracking .env'",
                "why": "this stops tracking the file, but the old commit still holds it, so the password has to be changed in any case",
                "safe": "you've revoked the password first",
            },
            {
                "mess": "deleted a branch that wasn't merged",
                "command": "git reflog\ngit branch rescued-work HEAD@{3}",
                "why": "the reflog lists where HEAD has been, and the commits are kept for weeks",
                "safe": "you haven't run a garbage collection",
            },
            {
                "mess": "need to undo the last commit but keep the changes",
                "command": "git reset --soft HEAD~1",
                "why": "the commit goes away and its changes stay staged",
                "safe": "the commit hasn't been pushed",
            },
            {
                "mess": "am in the middle of a rebase and everything looks wrong",
                "command": "git rebase --abort",
                "why": "that puts the branch back to where it was before the rebase began",
                "safe": "you haven't typed --continue to the end",
            },
            {
                "mess": "made a typo in the last commit message",
                "command": "git commit --amend -m 'Correct message'",
                "why": "amend replaces the last commit by a new one with the same content",
                "safe": "nobody has pulled the old commit",
            },
            {
                "mess": "have to take back a commit that others have already pulled",
                "command": "git revert a1b2c3d",
                "why": "revert adds a new commit with the opposite change, so the shared history stays intact",
                "safe": "you know the commit's hash",
            },
            {
                "mess": "added a 400 MB video and the push is rejected",
                "command": "git rm --cached recording.mp4\ngit commit --amend --no-edit",
                "why": "the file leaves the last commit but stays on your disk",
                "safe": "the video is in the last commit only",
            },
            {
                "mess": "pulled and now my local changes are gone",
                "command": "git stash list\ngit stash pop",
                "why": "with autostash git puts your changes aside first and sometimes can't put them back",
                "safe": "the list shows an entry",
            },
        ),
        slots={
            "host": ("GitHub", "our GitLab", "a private server", "Bitbucket"),
            "team": (
                "two other people work on it",
                "I work alone on it",
                "the whole team uses that branch",
                "nobody else has pulled yet",
                "a colleague already pulled",
            ),
            "client": ("the command line", "VS Code", "a graphical client", "PyCharm"),
        },
        contexts=(
            "The repository is on {host} and {team}.",
            "I usually only use {client}.",
            "I'm fairly new to git.",
            "It's Friday afternoon and I'm about to break something.",
            "We squash everything on merge.",
        ),
        openings=(
            "I {mess}. <How do I fix that?|How can I repair this?|What now?>",
            "git: I {mess}, {team}",
            "How do I get out of this? I {mess}.",
            "<HELP, I|Oh no. I|ok so I> {mess}",
            "What's the right command when I {mess}<?| and don't want to lose anything?>",
            "Can I undo it in {client} if I {mess}?",
            "I think I {mess}. `git status` says <my branch has diverged|nothing useful|'both modified'|there's nothing to commit>.",
            "<git undo last commit|git revert vs reset|resolve merge conflict|recover lost commits git|git detached HEAD what now>, I {mess}",
            "Please give me the exact commands: I {mess} and {team}.",
            "Is `git reset --hard` safe if I {mess}?",
            "My colleague says to force push because I {mess}. Is that a good idea when {team}?",
            "Explain the difference between reset, revert and restore. The reason I ask is that I {mess}.",
            "I {mess}, how do I get back to where I was <this morning|an hour ago|yesterday>?",
            "Before I make it worse: I {mess}. Which steps, in which order?",
        ),
        details=(
            "Nothing has been pushed.",
            "It's already pushed to {host}.",
            "I don't have a backup.",
            "I'd rather not clone everything anew.",
            "I use {client}.",
        ),
        personal=(
            "The last commit is by {colleague}, not mine.",
            "git log shows author {full_name} with {email}, that's me.",
        ),
        answers=(
            "No harm done. Run this:\n\n```bash\n{command}\n```\n\n{Why}. It's fine as long as {safe}.",
            "First make a safety copy with `git branch backup`, so that nothing can get lost. Then:\n\n```bash\n{command}\n```\n\nThe idea: {why}.",
            "It depends on whether the commits have been shared. If {safe}, you can do:\n\n```bash\n{command}\n```\n\nOtherwise prefer `git revert`, <because rewriting shared history breaks everyone else's copy|which leaves the history alone>.",
            "That happens to everyone. The commands are\n\n```bash\n{command}\n```\n\nand what they do is this: {why}. Check with `git log --oneline -5` afterwards.",
            "In short: reset moves the branch, revert adds an opposite commit, restore only touches files. For your case:\n\n```bash\n{command}\n```\n\nPrecondition: {safe}.",
            "Don't force push yet. Look at `git log --oneline --graph --all -15` to see where everything is, then use\n\n```bash\n{command}\n```\n\n{Why}. <If in doubt, stop after the first line.|You can still go back through the reflog.>",
        ),
        clarifications=(
            Clarification(
                "Has any of it been pushed, and does anyone else use the branch?",
                ("not pushed", "pushed, and {team}", "I pushed it ten minutes ago"),
            ),
            Clarification(
                "What does `git status` print right now?",
                (
                    "'Your branch is ahead of origin/main by 1 commit'",
                    "a long list of 'both modified'",
                    "HEAD detached at a1b2c3d, whatever that means",
                ),
            ),
        ),
        exchanges=(
            Exchange(
                ("Can I do the same in {client}?", "where's that in the VS Code menu"),
                (
                    "Most of it is in the source control menu under the three dots, but for undoing things the command line shows more clearly what happens.",
                    "Partly. The integrated terminal is quicker here, the result appears in the graphical view right away.",
                ),
            ),
            Exchange(
                ("Do I have to force push after that?", "push is rejected now, non-fast-forward"),
                (
                    "Only if the branch had been pushed before. Then use `git push --force-with-lease`, which refuses if someone else has pushed meanwhile.",
                    "That's expected when history was rewritten. On your own branch `--force-with-lease` is fine, on main use revert instead.",
                ),
            ),
            Exchange(
                ("What exactly is HEAD~1?", "what does HEAD@{3} mean"),
                (
                    "`HEAD` is the commit you're on; `~1` is its parent, `~2` the one before.",
                    "`HEAD~1` follows the history one back, while an entry with `@` and a number counts your own moves in the reflog.",
                ),
            ),
            Exchange(
                ("How can I avoid this next time?", "is there a setting that protects main"),
                (
                    "Protect main on {host} so that it only takes pull requests, and show the branch name in your prompt.",
                    "A pre-commit hook that refuses commits on main helps, and so does `git switch -c` as the first thing you do.",
                ),
            ),
            Exchange(
                ("And my uncommitted changes, are they safe?", "i also have changes that aren't committed"),
                (
                    "Put them aside first: `git stash -u`. Afterwards `git stash pop` brings them back.",
                    "Commit them to a temporary branch before you do anything with `--hard`, since that flag throws them away.",
                ),
            ),
            Exchange(
                ("ok done. How do I check that everything is right?", "that seems to have worked, how can I verify it"),
                (
                    "`git log --oneline -5` for the commits and `git diff origin/main` for the content. If both look right, you're done.",
                    "Compare with the remote: `git fetch`, then `git status`. It should say how many commits you're ahead, and no more.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "Now it says 'fatal: ambiguous argument'",
                    "error: pathspec did not match any file(s) known to git. This doesn't work",
                ),
                (
                    "Sorry, then the name is different on your side. `git branch -a` and `git log --oneline` show what exists; use the exact name from there.",
                    "My mistake if that wasn't clear: replace the example hash and names by your own. `git log --oneline` lists them.",
                ),
            ),
            Exchange(
                ("My changes are GONE now", "I ran it and lost everything from today!!"),
                (
                    "Don't panic, and don't run anything else yet. `git reflog` still knows the commit; `git branch rescue` plus the entry's hash brings it back.",
                    "I'm sorry. If it had been committed or staged, it can be recovered: look at `git reflog` and `git fsck --lost-found`.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Run `git reset --hard origin/main`. That fixes it without losing your work.",
                ("Doesn't --hard delete my changes?", "I read that --hard throws away everything local. Are you sure?"),
                "You're right to ask, I'm sorry: `--hard` would discard your work. Use this instead:\n\n```bash\n{command}\n```\n\n{Why}.",
            ),
        ),
    ),
)

_UNIT_TESTS = Intent(
    domain="coding",
    name="unit_tests",
    weight=0.7,
    weekend=0.4,
    script=Script(
        facts=(
            {
                "subject": "a function that parses durations like '1h30m'",
                "name": "parse_duration",
                "code": "```python\ndef parse_duration(text):\n    hours, _, rest = text.partition('h')\n    return int(hours) * 60 + int(rest.rstrip('m') or 0)\n```",
                "test": "```python\n@pytest.mark.parametrize(('text', 'minutes'), [('1h30m', 90), ('2h', 120), ('0h5m', 5)])\ndef test_parses_durations(text, minutes):\n    assert parse_duration(text) == minutes\n```",
                "edge": "a text without an “h”, an empty one and negative values",
            },
            {
                "subject": "a discount calculation",
                "name": "discounted",
                "code": "```python\ndef discounted(price, percent):\n    return round(price * (1 - percent / 100), 2)\n```",
                "test": "```python\n@pytest.mark.parametrize(('percent', 'expected'), [(0, 80.0), (25, 60.0), (100, 0.0)])\ndef test_discount_is_taken_off(percent, expected):\n    assert discounted(80.0, percent) == expected\n```",
                "edge": "percentages over 100, negative prices and rounding at half a cent",
            },
            {
                "subject": "a class that sends mail through an API",
                "name": "Mailer",
                "code": "```python\nclass Mailer:\n    def __init__(self, client):\n        self.client = client\n\n    def welcome(self, address):\n        return self.client.send(to=address, template='welcome')\n```",
                "test": "```python\nclass RecordingClient:\n    def __init__(self):\n        self.sent = []\n\n    def send(self, **message):\n        self.sent.append(message)\n\n\ndef test_welcome_uses_its_template():\n    client = RecordingClient()\n    Mailer(client).welcome('new-user')\n    assert client.sent == [dict(to='new-user', template='welcome')]\n```",
                "edge": "a client that raises, and an empty address",
            },
            {
                "subject": "a function that depends on today's date",
                "name": "is_overdue",
                "code": "```python\ndef is_overdue(due):\n    return date.today() > due\n```",
                "test": "```python\ndef is_overdue(due, today):\n    return today > due\n\n\ndef test_due_today_is_not_overdue():\n    assert not is_overdue(date(2026, 11, 3), today=date(2026, 11, 3))\n```",
                "edge": "the due day itself, the day after and a change of time zone",
            },
            {
                "subject": "a CSV importer",
                "name": "import_rows",
                "code": "```python\ndef import_rows(path):\n    with open(path, newline='') as file:\n        return list(csv.DictReader(file))\n```",
                "test": "```python\ndef test_reads_every_row(tmp_path):\n    path = tmp_path / 'rows.csv'\n    path.write_text('id,name\\n1,lamp\\n2,desk\\n')\n    assert [row['name'] for row in import_rows(path)] == ['lamp', 'desk']\n```",
                "edge": "an empty file, a header without rows and quoted commas",
            },
            {
                "subject": "a React button component",
                "name": "SaveButton",
                "code": "```jsx\nexport function SaveButton(props) {\n  return <button disabled={props.busy} onClick={props.onSave}>Save</button>;\n}\n```",
                "test": "```jsx\ntest('is disabled while busy', () => {\n  render(<SaveButton busy onSave={() => undefined} />);\n  expect(screen.getByRole('button')).toBeDisabled();\n});\n```",
                "edge": "a double click, and the busy state ending",
            },
        ),
        slots={
            "coverage": ("62 %", "35 %", "80 %", "zero"),
            "framework": ("pytest", "the test runner", "our CI", "the test suite"),
        },
        contexts=(
            "Our test coverage is {coverage} at the moment.",
            "My pull request was sent back because it has no tests.",
            "I've never written tests before, <sadly|to be honest>.",
            "There's {subject} in our code base that breaks all the time.",
            "We want to refactor, so I'd like a safety net first.",
        ),
        openings=(
            "<Can you write|Please write|I need> unit tests for this:\n\n{code}",
            "How do I test {subject}?",
            "unit test for {name}",
            "{code}\n\nWhich test cases am I missing for this?",
            "I need to <test|mock things around> {subject} <without touching the network|without a real database|in isolation>. How?",
            "What edge cases should tests of {subject} cover?",
            "Write tests for `{name}` please, it's {subject}.",
            "Is it worth testing {subject}, or is that overkill?",
            "My test for {name} passes locally and fails in {framework}. <What could be the reason?|Why?>",
            "Convert my test of `{name}` into a parametrised one. It's {subject}.",
            "I want to get our coverage above {coverage}. Start with {subject}:\n{code}",
            "How would you structure tests for {subject}? <One file or several?|Classes or plain functions?>",
            "The test for {subject} is flaky. <Any ideas?|It fails maybe one time in ten.>",
            "Should I mock inside the tests of {name}, or is a fake better?\n\n{code}",
        ),
        details=(
            "We use {framework}.",
            "Please keep them short.",
            "No extra libraries if possible.",
            "I only need the important ones.",
            "They have to run without network.",
        ),
        personal=("{colleague} reviewed it and wants at least three cases.",),
        answers=(
            "Here's a start for {subject}:\n\n{test}\n\nI'd add cases for {edge}.",
            "The trick is to pass in what changes, so that the test controls it. For `{name}`:\n\n{test}\n\n<One test per behaviour, named after it.|The names say what should hold.>",
            "For {subject} I'd cover four things: the normal case, the smallest input, a wrong input, and {edge}. The first could look like this:\n\n{test}",
            "{test}\n\nThat checks the behaviour of `{name}` and not how it's written, so you can refactor freely. Still open: {edge}.",
            "A fake is better than a mock here, because it keeps working when the call's order changes. Example:\n\n{test}",
            "A test that is green locally and red elsewhere usually depends on time, order, locale or the working directory. Make each of those explicit; for `{name}` that gives:\n\n{test}",
        ),
        clarifications=(
            Clarification(
                "What should happen with invalid input: an exception, or a default?",
                ("an exception", "return None I think", "hm good question. Exception"),
            ),
            Clarification(
                "Which test framework do you use at the moment?", ("{framework}", "none yet", "whatever is standard")
            ),
        ),
        exchanges=(
            Exchange(
                ("Can you add the edge cases?", "what about {edge}?"),
                (
                    "For {edge} use `pytest.raises` where an error is expected, and one parametrised line each for the rest.",
                    "Certainly: one test per case, and the expected outcome written in its name. If you're unsure what should happen, that's a question for the specification.",
                ),
            ),
            Exchange(
                ("How do I run only this one test?", "run a single test?"),
                (
                    "Give its path and name: `pytest tests/test_module.py::test_name`, or use `-k` with part of the name.",
                    "`pytest -k name -x` runs the matching ones and stops at the first failure.",
                ),
            ),
            Exchange(
                ("What's a fixture and do I need one here?", "should the setup go into a fixture"),
                (
                    "A fixture prepares something that several tests need. With two tests or fewer, plain code inside the test reads better.",
                    "Only if three or more tests share it. Name it after what it gives you.",
                ),
            ),
            Exchange(
                ("How high should coverage be?", "is 100 % coverage realistic?"),
                (
                    "There's no magic number. Lines that can break something important should be covered, getters needn't be.",
                    "Rather look at which branches aren't covered. 85 % with sharp assertions beats 100 % without.",
                ),
            ),
            Exchange(
                (
                    "The test passes even if I break the function!",
                    "it stays green when I change the code, is that right?",
                ),
                (
                    "Then it asserts too little. Compare with an exact value, and check that it fails before the fix.",
                    "Good that you checked. Probably the assertion looks at the mock and not at the result; assert on the returned value.",
                ),
            ),
            Exchange(
                ("Can we run this automatically on every push?", "how do i get them into CI"),
                (
                    "Yes, one job that installs the package and calls the tests is enough. Cache the dependencies and it stays under a minute.",
                    "Add a step that runs them to your CI file, and make it required for merging.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Your test doesn't run: 'fixture not found'", "ImportError when I run your test"),
                (
                    "I'm sorry. The import at the top is missing: import the function from its module, and run the tests from the project's root.",
                    "Then the package isn't on the path. Install it in editable mode with `pip install -e .` and start again.",
                ),
            ),
            Exchange(
                (
                    "the assertion fails and I think your expected value is wrong",
                    "That expectation is simply not what the function does",
                ),
                (
                    "Apologies, I assumed a different behaviour. If the current result is the intended one, change the expected value; if not, the test has found a bug.",
                    "You may be right. Tell me what `{name}` should return for that input, and I'll adapt the test.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "You can test `{name}` by calling it and checking that no exception is raised. That is sufficient.",
                ("That wouldn't notice a wrong result though", "but then any return value would pass?"),
                "You're right, I'm sorry, such a test proves next to nothing. It should compare with an expected value:\n\n{test}",
            ),
        ),
    ),
)

_CSS_LAYOUT = Intent(
    domain="coding",
    name="css_layout",
    weight=0.9,
    weekend=0.9,
    script=Script(
        facts=(
            {
                "goal": "centre a box vertically and horizontally",
                "code": "```css\n.page {\n  display: grid;\n  place-items: center;\n  min-height: 100vh;\n}\n```",
                "why": "`place-items` centres in both directions, and the height is needed because a box without height has no middle",
                "symptom": "it sticks to the top",
            },
            {
                "goal": "keep the footer at the bottom of short pages",
                "code": "```css\nbody {\n  display: flex;\n  flex-direction: column;\n  min-height: 100vh;\n}\nmain {\n  flex: 1;\n}\n```",
                "why": "`flex: 1` lets the main part take all space that's left",
                "symptom": "it floats in the middle of the page",
            },
            {
                "goal": "make a card grid that wraps on small screens",
                "code": "```css\n.cards {\n  display: grid;\n  gap: 1rem;\n  grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr));\n}\n```",
                "why": "`auto-fill` puts as many columns of at least 16rem in a row as fit",
                "symptom": "the last card is stretched",
            },
            {
                "goal": "make the header sticky",
                "code": "```css\nheader {\n  position: sticky;\n  top: 0;\n  z-index: 10;\n}\n```",
                "why": "sticky needs a `top` value, and no ancestor may have `overflow: hidden`",
                "symptom": "it scrolls away with everything else",
            },
            {
                "goal": "truncate a long title with an ellipsis",
                "code": "```css\n.title {\n  min-width: 0;\n  overflow: hidden;\n  text-overflow: ellipsis;\n  white-space: nowrap;\n}\n```",
                "why": "inside a flex row an item refuses to shrink below its content unless `min-width` is 0",
                "symptom": "the row gets wider than the screen",
            },
            {
                "goal": "put the sidebar under the content on phones",
                "code": "```css\n.layout {\n  display: grid;\n  grid-template-columns: 16rem 1fr;\n}\n@media (max-width: 40rem) {\n  .layout {\n    grid-template-columns: 1fr;\n  }\n}\n```",
                "why": "below 40rem the grid has one column, so both parts stack",
                "symptom": "both columns are squeezed",
            },
            {
                "goal": "get rid of the gap under an image",
                "code": "```css\nimg {\n  display: block;\n  max-width: 100%;\n}\n```",
                "why": "an image is inline by default and leaves room for the descenders of letters",
                "symptom": "there are four pixels of white below it",
            },
            {
                "goal": "make the dropdown menu appear above everything else",
                "code": "```css\n.menu {\n  position: absolute;\n  z-index: 100;\n}\n.toolbar {\n  isolation: isolate;\n}\n```",
                "why": "z-index only counts within one stacking context, so the parent has to be sorted out first",
                "symptom": "it's hidden behind the table",
            },
        ),
        slots={
            "browser": ("Safari", "Firefox", "Chrome", "my phone", "an iPad"),
            "site": (
                "my portfolio",
                "a client's website",
                "our intranet",
                "a landing page",
                "a school project",
                "my blog",
            ),
        },
        contexts=(
            "I'm building {site} without a framework.",
            "It looks right in <Chrome|the preview>, but in {browser} {symptom}.",
            "I'm more of a backend person.",
            "I use plain CSS, no Tailwind.",
            "{Site} has to work on phones too.",
        ),
        openings=(
            "How do I {goal} <with CSS|in plain CSS>?",
            "I want to {goal}, but {symptom}.",
            "css {goal}",
            "I'm trying to {goal} and can't see why {symptom}.",
            "What's the <modern|cleanest|simplest> way to {goal}?",
            "I've tried to {goal} on {site} with floats and {symptom}. <Flexbox or grid?|What should I use instead?>",
            "This is my CSS, I'd like to {goal}:\n\n{code}\n\nIn {browser} {symptom}. <Why?|Ideas?>",
            "Can you show me how to {goal} <without JavaScript|without a library>?",
            "On {site} I need to {goal}, any hints?",
            "{Symptom} in {browser} although I followed a tutorial on how to {goal}.",
            "Help me {goal}. Everything I find online is from <2012|ten years ago>.",
            "Is flexbox or grid better if I want to {goal}?",
            "Please explain how to {goal} so that I understand <it|why it works>.",
            "The design of {site} asks me to {goal}. Right now {symptom}.",
        ),
        details=(
            "It has to work in {browser}.",
            "I can change the HTML too.",
            "No !important please.",
            "The page is otherwise finished.",
            "Old browsers don't matter.",
        ),
        personal=("The design is by {colleague}.", "It's for my portfolio, so the header reads “{full_name}”."),
        answers=(
            "To {goal}:\n\n{code}\n\n{Why}.",
            "The cause is simple: {why}. So write\n\n{code}",
            "Use this and remove the old positioning rules, otherwise they get in the way:\n\n{code}\n\nIt works because {why}. <All current browsers support it.|I've left out prefixes, they're no longer needed.>",
            "If {symptom}, open the developer tools and switch on the layout overlay; you'll see which box is too large. Then {goal} like this:\n\n{code}",
            "Rule of thumb: flexbox for one direction, grid for two. Here I'd go with\n\n{code}\n\nsince {why}.",
            "You don't need JavaScript to {goal}. {Why}, and this is all it takes:\n\n{code}\n\n<Adjust the values to your design.|The numbers are only examples.>",
        ),
        clarifications=(
            Clarification(
                "Is the element inside another flex or grid container?",
                ("yes, in a flex row", "I think so, there are many wrappers", "no, directly in the body"),
            ),
            Clarification(
                "Does it happen in every browser, or only in {browser}?",
                ("only there", "everywhere", "haven't tried others yet"),
            ),
        ),
        exchanges=(
            Exchange(
                ("And on small screens?", "how does it behave on a phone"),
                (
                    "It adapts as it is. If it gets too tight, add a media query at about 40rem and reduce the gap.",
                    "On phones check the viewport meta tag first; without it the browser pretends to be a desktop.",
                ),
            ),
            Exchange(
                ("Why rem and not px?", "should I use px, em or rem?"),
                (
                    "`rem` follows the user's font size, so the layout grows with larger text. Pixels are fine for borders.",
                    "Use `rem` for spacing and widths, `em` inside components, `px` for hairlines.",
                ),
            ),
            Exchange(
                ("Can I animate it?", "how do I add a smooth transition"),
                (
                    "Animate `transform` and `opacity` only, they don't cause a new layout: `transition: transform 0.2s ease`.",
                    "Yes, with a transition on the property that changes. Respect `prefers-reduced-motion` for people who get dizzy.",
                ),
            ),
            Exchange(
                ("What's the difference between auto-fit and auto-fill?", "difference flex: 1 and flex-grow: 1?"),
                (
                    "`auto-fill` keeps empty columns, `auto-fit` collapses them so that the items stretch.",
                    "`flex: 1` also sets the basis to 0, so items share the width equally; `flex-grow: 1` only shares what is left over.",
                ),
            ),
            Exchange(
                ("Is that accessible?", "does the order matter for screen readers"),
                (
                    "Visually moving things doesn't change the reading order, so keep the HTML in the order in which it should be read.",
                    "It is, as long as you don't use `order` to shuffle interactive elements and keep the focus outline.",
                ),
            ),
            Exchange(
                ("nice, that works. How do I do the same for dark mode?", "Works! Could you add dark mode too?"),
                (
                    "Put the colours into custom properties and override them in `@media (prefers-color-scheme: dark)`.",
                    "Define `--background` and `--text` on `:root` and change just these two in a dark media query.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Doesn't work, {symptom} still", "no effect whatsoever, {symptom}"),
                (
                    "Sorry. Then another rule wins: inspect the element and see whether yours is crossed out. A more specific selector or a rule further down is the usual reason.",
                    "Please check that the stylesheet is loaded at all, with a hard reload. If it is, look for `overflow: hidden` or a fixed height on one of the parents.",
                ),
            ),
            Exchange(
                ("Now the whole page is broken", "that destroyed my header, everything is on the left now"),
                (
                    "I apologise, the rule was meant for the inner container only. Give that one a class of its own and move the declarations there.",
                    "Sorry about that. Undo it, wrap just the part concerned in a div and apply the rules to this wrapper.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Use `<center>` around the element and a table for the columns. That is the most reliable way.",
                (
                    "That's from the nineties, isn't it? It's been deprecated forever",
                    "my editor marks <center> as obsolete",
                ),
                "You're right, sorry, that is obsolete. Today you'd write:\n\n{code}\n\n{Why}.",
            ),
        ),
    ),
)

INTENTS = (_PYTHON_ERROR, _REGEX_PATTERN, _GIT_UNDO, _UNIT_TESTS, _CSS_LAYOUT)

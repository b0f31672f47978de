"""Work with data: queries, slow queries, spreadsheet formulas and cleaning frames."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_SQL_QUERY = Intent(
    domain="data_work",
    name="sql_query",
    weight=1.5,
    weekend=0.4,
    script=Script(
        facts=(
            {
                "question": "the total sales per customer for the last quarter",
                "tables": "customers and orders",
                "query": "```sql\nSELECT c.name, SUM(o.total) AS sales\nFROM customers AS c\nJOIN orders AS o ON o.customer_id = c.id\nWHERE o.ordered_at >= DATE '2026-07-01' AND o.ordered_at < DATE '2026-10-01'\nGROUP BY c.name\nORDER BY sales DESC;\n```",
                "idea": "the join brings the customer's name to each order and GROUP BY adds the orders up per name",
                "trap": "customers without any order are missing; use a LEFT JOIN and COALESCE if they should appear with 0",
            },
            {
                "question": "the latest order of each customer",
                "tables": "orders",
                "query": "```sql\nSELECT *\nFROM (\n    SELECT o.*, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY ordered_at DESC) AS place\n    FROM orders AS o\n) AS ranked\nWHERE place = 1;\n```",
                "idea": "ROW_NUMBER counts each customer's orders from the newest to the oldest, and you keep number one",
                "trap": "two orders at the same instant are ranked arbitrarily, so add the id to the ORDER BY",
            },
            {
                "question": "customers who have never ordered anything",
                "tables": "customers and orders",
                "query": "```sql\nSELECT c.id, c.name\nFROM customers AS c\nWHERE NOT EXISTS (\n    SELECT 1 FROM orders AS o WHERE o.customer_id = c.id\n);\n```",
                "idea": "NOT EXISTS keeps a customer only if no matching order is found",
                "trap": "NOT IN looks similar but returns nothing at all as soon as one customer_id is NULL",
            },
            {
                "question": "a running total of revenue by day",
                "tables": "payments",
                "query": "```sql\nSELECT paid_on, SUM(SUM(amount)) OVER (ORDER BY paid_on) AS running_total\nFROM payments\nGROUP BY paid_on\nORDER BY paid_on;\n```",
                "idea": "the inner SUM adds up a day and the outer one, as a window, everything up to that day",
                "trap": "days without payments don't show up unless you join a calendar table",
            },
            {
                "question": "duplicate rows by e-mail address",
                "tables": "contacts",
                "query": "```sql\nSELECT LOWER(email) AS address, COUNT(*) AS copies\nFROM contacts\nGROUP BY LOWER(email)\nHAVING COUNT(*) > 1;\n```",
                "idea": "HAVING filters after grouping, so only addresses that occur more than once remain",
                "trap": "without LOWER two spellings of one address count as different",
            },
            {
                "question": "the share of each product category in total revenue",
                "tables": "sales and products",
                "query": "```sql\nSELECT p.category, SUM(s.amount) * 100.0 / SUM(SUM(s.amount)) OVER () AS percent\nFROM sales AS s\nJOIN products AS p ON p.id = s.product_id\nGROUP BY p.category;\n```",
                "idea": "the empty OVER () gives the grand total beside every group",
                "trap": "with whole numbers 100.0 is needed, otherwise the division is cut off",
            },
            {
                "question": "how many users come back in the week after signing up",
                "tables": "users and visits",
                "query": "```sql\nSELECT COUNT(DISTINCT v.user_id) * 100.0 / COUNT(DISTINCT u.id) AS percent_back\nFROM users AS u\nLEFT JOIN visits AS v\n    ON v.user_id = u.id\n    AND v.visited_at > u.signed_up_at\n    AND v.visited_at <= u.signed_up_at + INTERVAL '7 days';\n```",
                "idea": "the LEFT JOIN keeps users without a visit, so the share is taken of all of them",
                "trap": "conditions on visits belong in the ON part, in WHERE they'd turn it into an inner join",
            },
            {
                "question": "monthly numbers with one column for each region",
                "tables": "sales",
                "query": "```sql\nSELECT DATE_TRUNC('month', sold_at) AS month,\n       SUM(CASE WHEN region = 'north' THEN amount ELSE 0 END) AS north,\n       SUM(CASE WHEN region = 'south' THEN amount ELSE 0 END) AS south\nFROM sales\nGROUP BY 1\nORDER BY 1;\n```",
                "idea": "each CASE lets through only the amounts of its region, so the sums end up side by side",
                "trap": "a new region needs a new column, because SQL can't invent columns while it runs",
            },
        ),
        slots={
            "database": ("Postgres", "MySQL", "SQLite", "SQL Server", "DuckDB", "our warehouse"),
            "purpose": (
                "a dashboard",
                "the monthly report",
                "a meeting tomorrow",
                "an assignment",
                "our marketing team",
            ),
        },
        contexts=(
            "I have the tables {tables}.",
            "It's for {purpose}, on {database}.",
            "I know the basics of SQL, joins still confuse me.",
            "We moved to {database} last month.",
            "My boss wants a number for {purpose}.",
        ),
        openings=(
            "<How do I|How can I> write a query that returns {question}?",
            "I need {question} from {tables}. <Can you write the SQL?|What would the query look like?>",
            "sql query for {question}",
            "SQL: {question}, tables {tables}, {database}",
            "Please write a {database} query for {question}.",
            "My query should give me {question} but the numbers are <far too high|twice as high as they should be>. <What am I missing?|Is it the join?>",
            "Can I get {question} <in one query|without a subquery|with a window function>?",
            "{query}\n\nIs this right for {question}?",
            "I'm trying to find {question} for {purpose} and my GROUP BY <throws an error|doesn't work>.",
            "What kind of join do I need for {question}? The data is in {tables}.",
            "Explain how to calculate {question} in {database}, with an example please.",
            "We have {tables} in {database}. Somebody asked for {question} and I don't know where to start.",
            "Turn this question into SQL: {question}.",
            "Do I need a CTE for {question}? It's {database}.",
        ),
        details=(
            "The database is {database}.",
            "Dates are stored as timestamps.",
            "I can't create views there.",
            "A short explanation would help.",
            "There are some NULLs in it.",
        ),
        personal=(
            "The report goes to {full_name}.",
            "One test row is {full_name}, {email}.",
            "My colleague {colleague} wrote the old version.",
        ),
        answers=(
            "For {question} you could use:\n\n{query}\n\nHow it works: {idea}.",
            "{query}\n\nHere {idea}. One trap: {trap}.",
            "This runs on {database} as it is:\n\n{query}\n\n<Change the names of the columns to yours.|I had to guess some column names.> Keep in mind that {trap}.",
            "The key idea is that {idea}. Put together:\n\n{query}",
            "If the numbers come out too high, a join multiplies rows: one row on the left meets several on the right before the sum is taken. For {question} this version is safe:\n\n{query}",
            "You can do it in one statement, here {idea}:\n\n{query}\n\nAnd note that {trap}.",
        ),
        clarifications=(
            Clarification(
                "Which database is it, and what are the column names?",
                (
                    "{database}. Columns are the obvious ones: id, name, amount, date",
                    "it's {database}",
                    "{database}, I'll adapt the names myself",
                ),
            ),
            Clarification(
                "Should rows without a match show up with a zero, or not at all?",
                ("with a zero please", "not at all", "Zero is better for {purpose}"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Can you add a filter for the last 30 days?", "and only for this year?"),
                (
                    "Add `AND ordered_at >= CURRENT_DATE - INTERVAL '30 days'` to the WHERE part, with your own date column.",
                    "Use a half-open range: `>= DATE '2026-01-01' AND < DATE '2027-01-01'`. It's safer than BETWEEN with timestamps.",
                ),
            ),
            Exchange(
                ("What's the difference between WHERE and HAVING?", "why having and not where"),
                (
                    "WHERE filters rows before they're grouped, HAVING filters the groups afterwards. Sums and counts can only be tested in HAVING.",
                    "WHERE can't see the result of COUNT or SUM yet, HAVING can.",
                ),
            ),
            Exchange(
                ("How do I get only the top ten?", "limit it to 10 rows please"),
                (
                    "Append `ORDER BY ... DESC LIMIT 10`; on SQL Server it's `SELECT TOP 10` instead.",
                    "`LIMIT 10` at the end, always together with an ORDER BY, otherwise the ten rows are arbitrary.",
                ),
            ),
            Exchange(
                ("Where do the NULLs come from?", "why is there a row with NULL as the name"),
                (
                    "From a LEFT JOIN without a match, or from empty cells in the data. `COALESCE(name, 'unknown')` gives them a label.",
                    "Those are rows without a partner in the other table. Whether to label or to drop them depends on your question.",
                ),
            ),
            Exchange(
                ("Could I save that as a view?", "how do I reuse this query every month"),
                (
                    "Yes: `CREATE VIEW monthly_report AS` followed by the query. It's computed anew each time you select from it.",
                    "If you're allowed to, as a view. Otherwise keep it in a file and pass the dates as parameters.",
                ),
            ),
            Exchange(
                ("ok it runs. How can I check that the result is correct?", "is there a way to verify the numbers"),
                (
                    "Pick one customer and add up the rows by hand, and compare the grand total with a query without any join.",
                    "Compare the row count before and after the join. If it grows, something is being multiplied.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "ERROR: column must appear in the GROUP BY clause",
                    "It says 'not a GROUP BY expression'. Doesn't work.",
                ),
                (
                    "Sorry. Every selected column that isn't inside SUM, COUNT or the like has to be listed after GROUP BY. Add it there, or take it out of the SELECT.",
                    "My apologies, I missed that one column isn't grouped. Wrap it in MIN() if it's the same for the whole group anyway.",
                ),
            ),
            Exchange(
                ("The result is still wrong, it's about double", "numbers still don't match our dashboard"),
                (
                    "Then one table has several rows per key. Aggregate it in a subquery first, and join the result.",
                    "I'm sorry. Compare the time zones and the status filter: dashboards often leave out cancelled orders.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Just use `SELECT DISTINCT`, it removes the duplicates from the sum.",
                (
                    "DISTINCT doesn't change the sum, I tried it",
                    "but wouldn't that also drop two real orders with the same amount?",
                ),
                "You're right, I'm sorry: DISTINCT works on whole result rows and would drop real ones. This is the proper way:\n\n{query}",
            ),
        ),
    ),
)

_SLOW_QUERY = Intent(
    domain="data_work",
    name="slow_query",
    weight=0.7,
    weekend=0.4,
    script=Script(
        facts=(
            {
                "symptom": "a search with LIKE '%term%' scans the whole table",
                "reason": "an ordinary index is sorted from the first letter on, so a leading wildcard can't use it",
                "remedy": "a trigram index or full-text search",
                "statement": "CREATE INDEX ON articles USING gin (title gin_trgm_ops);",
            },
            {
                "symptom": "filtering on YEAR(created_at) ignores the index",
                "reason": "the index holds created_at, not the result of a function on it",
                "remedy": "a range condition on the bare column",
                "statement": "WHERE created_at >= '2026-01-01' AND created_at < '2027-01-01'",
            },
            {
                "symptom": "OFFSET 500000 gets slower on every page",
                "reason": "the database has to produce and throw away all the rows before the offset",
                "remedy": "keyset pagination, that is going on from the last id seen",
                "statement": "WHERE id > 500000 ORDER BY id LIMIT 50",
            },
            {
                "symptom": "a join of two big tables takes minutes",
                "reason": "the foreign key column has no index, so the planner reads everything",
                "remedy": "an index on the column you join by",
                "statement": "CREATE INDEX ON orders (customer_id);",
            },
            {
                "symptom": "a query became slow after we loaded a lot of data",
                "reason": "the planner's statistics are out of date and it expects a handful of rows",
                "remedy": "fresh statistics",
                "statement": "ANALYZE orders;",
            },
            {
                "symptom": "the ORM sends a thousand little queries for one page",
                "reason": "related rows are fetched one by one, the N+1 problem",
                "remedy": "eager loading, so that one query fetches them together",
                "statement": "session.query(Order).options(joinedload(Order.items))",
            },
            {
                "symptom": "a COUNT(*) over 80 million rows is needed on every page view",
                "reason": "an exact count has to visit every visible row",
                "remedy": "a stored counter or the planner's estimate",
                "statement": "SELECT reltuples FROM pg_class WHERE relname = 'events';",
            },
            {
                "symptom": "a correlated subquery runs once for each row",
                "reason": "the inner query depends on the outer row and is started again every time",
                "remedy": "a join with an aggregated subquery or a window function",
                "statement": "JOIN (SELECT customer_id, MAX(ordered_at) AS newest FROM orders GROUP BY 1) AS latest USING (customer_id)",
            },
        ),
        slots={
            "rows": ("2 million", "12 million", "40 million", "300,000", "80 million"),
            "time": ("40 seconds", "three minutes", "over a minute", "12 s", "half an hour"),
            "database": ("Postgres 16", "MySQL 8", "MariaDB", "SQL Server", "our warehouse"),
        },
        contexts=(
            "The table has about {rows} rows.",
            "It's {database} on a small server.",
            "The same page took less than a second in <summer|the test environment>.",
            "Users have started to complain about timeouts.",
            "I'm not a DBA, I just inherited this.",
        ),
        openings=(
            "Why is my query so slow? {Symptom}.",
            "How do I speed up a query that takes {time} on {rows} rows? {Symptom}.",
            "slow query {database}, {symptom}",
            "Our report takes {time} now. The cause seems to be that {symptom}. <What can I do?|Is there a fix?>",
            "<EXPLAIN shows a sequential scan|The plan says Seq Scan> on {rows} rows. Which index do I need?",
            "Do I need an index if {symptom}?",
            "I have to get this below a second: {symptom}, currently {time}.",
            "Which index would help here? {Symptom}, on {database}.",
            "Can you explain how to read EXPLAIN ANALYZE? I have a query of {time}.",
            "Adding an index made no difference, {symptom}. <Why is it not used?|What else is there?>",
            "Optimise please: {symptom}.",
            "{Symptom}, so the page takes {time}. Would partitioning help?",
            "Is it normal that a query over {rows} rows needs {time} on {database}?",
            "The nightly job timed out again because {symptom}.",
        ),
        details=(
            "Memory isn't the problem.",
            "I can add indexes but not change the schema.",
            "It's read-only for me.",
            "It runs every five minutes.",
            "CPU is at 100 % meanwhile.",
        ),
        personal=("{colleague} set up that server.",),
        answers=(
            "The reason is that {reason}. What helps is {remedy}:\n\n```sql\n{statement}\n```\n\nMeasure before and after with EXPLAIN ANALYZE.",
            "When {symptom}, look for {remedy}. {Reason}.\n\n```sql\n{statement}\n```",
            "Start with `EXPLAIN (ANALYZE, BUFFERS)` and look for the node with the largest time of its own. In your case I expect that {reason}. <The cure is|Then use> {remedy}.",
            "An index only helps if the condition can use it. Here {reason}, so you need {remedy}. On {database}:\n\n```sql\n{statement}\n```\n\n<Build it outside of busy hours.|Writes get a little slower with each index.>",
            "With {rows} rows, {time} isn't normal. I'd go through it in this order:\n\n1. Read the plan and find the slowest step.\n2. Check whether {reason}.\n3. Try {remedy}.\n4. Only then think about hardware or partitions.",
            "Partitioning rarely helps a single query; it helps with deleting old data. The cause is simpler: {reason}. Use {remedy}, like `{statement}`.",
        ),
        clarifications=(
            Clarification(
                "Could you paste the output of EXPLAIN ANALYZE?",
                (
                    "Seq Scan, rows={rows}, and then a hash join",
                    "it's long, but the top says 'Nested Loop', {time}",
                    "I'm not allowed to run that on production",
                ),
            ),
            Clarification(
                "Which indexes exist on the table so far?",
                ("just the primary key", "primary key and one on created_at", "I don't know how to see that"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Doesn't an index slow down the writes?", "what does an index cost me"),
                (
                    "A little: each insert has to update it as well, and it needs disk space. One index for a frequent query is nearly always worth it.",
                    "Every index makes writes a few per cent slower. Drop those that are never used; the statistics views show which.",
                ),
            ),
            Exchange(
                ("Can I create the index without locking the table?", "will users notice while the index is built?"),
                (
                    "In Postgres use `CREATE INDEX CONCURRENTLY`. It takes longer but nobody is blocked.",
                    "With the online option nobody is blocked; without it, writes wait until it's done.",
                ),
            ),
            Exchange(
                ("How do I read the plan? It's 40 lines", "what does cost=0.43..8.45 mean"),
                (
                    "Read it from the innermost line outwards. The first number is the estimated cost up to the first row, the second up to the last; they're units of the planner, not seconds.",
                    "Compare estimated with actual rows at each step. Where they differ by a factor of 100, the planner went wrong.",
                ),
            ),
            Exchange(
                ("Would a materialized view be an option?", "could we cache the result instead"),
                (
                    "Yes, if the numbers may be some minutes old. Refresh it on a schedule, and index the view as well.",
                    "Good option for reports: compute it once an hour and let everyone read the result.",
                ),
            ),
            Exchange(
                ("In which order should the columns of the index be?", "one index with two columns or two indexes?"),
                (
                    "Columns tested with = first, then the one with a range or the sort order. One combined index usually beats two single ones.",
                    "Put the most selective equality first. An index on (a, b) also serves queries on a alone, but not on b alone.",
                ),
            ),
            Exchange(
                ("Now it takes 0.3 seconds, wow", "down from {time} to under a second!"),
                (
                    "Very good. Note the new plan somewhere, so you can compare when it gets slow again.",
                    "That's the difference the right access path makes. Keep an eye on it as the table grows.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Index is there, still {time}", "no change, it doesn't use the index"),
                (
                    "Sorry. Check for a type mismatch or a function around the column, and run ANALYZE. If the query returns a large part of the table, a scan is really the cheaper way.",
                    "Then the planner thinks the scan is cheaper. Look at how many rows the filter leaves; above some ten per cent an index doesn't pay.",
                ),
            ),
            Exchange(
                ("The index creation failed after {time}", "permission denied, I can't create indexes. You didn't ask"),
                (
                    "I'm sorry, I should have asked. Without that right, reduce the work in the query itself: fewer columns, a range filter, and aggregate before you join.",
                    "Apologies. Ask whoever owns the table to run it; the statement can be handed over as it is.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Put an index on every column of the table, then all queries are fast.",
                ("Wouldn't that kill the inserts?", "that can't be right, we have 60 columns"),
                "You're right, that was bad advice. One fitting index is what you need, since {reason}. Look into {remedy}.",
            ),
        ),
    ),
)

_SPREADSHEET_FORMULA = Intent(
    domain="data_work",
    name="spreadsheet_formula",
    weight=1.7,
    weekend=0.6,
    script=Script(
        facts=(
            {
                "wish": "look up a price from another sheet by article number",
                "formula": '=XLOOKUP(A2, Prices!A:A, Prices!C:C, "missing")',
                "explained": "it searches A2 in the first column of Prices and returns what's in the third; the last argument is shown when nothing is found",
                "fault": "#N/A",
            },
            {
                "wish": "sum all amounts of one month",
                "formula": '=SUMIFS(C:C, A:A, ">="&DATE(2026,10,1), A:A, "<"&DATE(2026,11,1))',
                "explained": "both conditions apply to the date column, so only October's rows are added",
                "fault": "a sum of 0",
            },
            {
                "wish": "count how many different customers there are",
                "formula": "=COUNTA(UNIQUE(B2:B500))",
                "explained": "UNIQUE lists each name once and COUNTA counts the list",
                "fault": "one too many because of an empty cell",
            },
            {
                "wish": "split full names into first and last name",
                "formula": '=TEXTSPLIT(A2, " ")',
                "explained": "it cuts the text at each space and spills the parts to the right",
                "fault": "#SPILL!",
            },
            {
                "wish": "highlight rows whose due date has passed",
                "formula": '=AND($D2<TODAY(), $E2<>"done")',
                "explained": "used as a conditional format for the whole range; the dollar sign pins the column while the row moves along",
                "fault": "the wrong rows turning red",
            },
            {
                "wish": "work out the number of working days between two dates",
                "formula": "=NETWORKDAYS(A2, B2, Holidays!A:A)",
                "explained": "weekends are left out by themselves and the third argument is a list of public holidays",
                "fault": "#VALUE!",
            },
            {
                "wish": "show a text depending on a score, like good, fair or poor",
                "formula": '=IFS(B2>=80, "good", B2>=50, "fair", TRUE, "poor")',
                "explained": "the conditions are checked from left to right and TRUE at the end catches the rest",
                "fault": "a formula that Excel does not accept",
            },
            {
                "wish": "get a running balance in a cash book",
                "formula": "=SUM($C$2:C2)-SUM($D$2:D2)",
                "explained": "the start of each range is fixed and its end grows as you fill down",
                "fault": "the same number in every row",
            },
            {
                "wish": "combine two lists and drop the duplicates",
                "formula": "=UNIQUE(VSTACK(A2:A50, C2:C80))",
                "explained": "VSTACK puts one list below the other and UNIQUE keeps each entry once",
                "fault": "#NAME?",
            },
        ),
        slots={
            "app": ("Excel", "Google Sheets", "Excel on a Mac", "LibreOffice", "Excel 2016", "Excel 365"),
            "sheet": (
                "a budget",
                "an inventory list",
                "the duty roster",
                "a price list",
                "our member list",
                "a sales sheet",
            ),
        },
        contexts=(
            "I'm using {app}.",
            "I keep {sheet} with about <400|1,200|3,000> rows.",
            "I do this by hand every month and it drives me mad.",
            "My formula returns {fault}.",
            "Somebody else built {sheet} and I have to extend it.",
        ),
        openings=(
            "<What formula do I use|Which formula do I need> to {wish}?",
            "How do I {wish} in {app}?",
            "{app} formula {wish}",
            "I want to {wish}, but I get {fault}. <What's wrong?|Why?>",
            "Please give me a formula for {sheet}: I need to {wish}.",
            "Why do I get {fault} when I try to {wish}? My formula is `{formula}`",
            "Is there a way to {wish} without <macros|copying everything by hand|a pivot table>?",
            "In {sheet} I'd like to {wish}. <VLOOKUP or something newer?|I only know SUM and IF.>",
            "Explain this formula please: {formula}",
            "I need to {wish} for {sheet} <by tonight|before the meeting>, {app}",
            "`{formula}` works in Excel but not in <my German version|LibreOffice|Google Sheets>, what's the equivalent?",
            "When I drag the formula down, the reference moves. I want to {wish}. <How do I stop that?|What am I doing wrong?>",
            "Can {app} {wish} automatically<?| when new rows are added?>",
            "Struggling with {sheet}. The task: {wish}.",
        ),
        details=(
            "It's {app}.",
            "The data starts in row 2.",
            "There are some empty rows in between.",
            "Dates are in column A.",
            "I can add a helper column if needed.",
        ),
        personal=(
            "Cell A2 for example says {full_name}.",
            "I have to send it to {email} afterwards.",
            "It's for {colleague} in controlling.",
        ),
        answers=(
            "To {wish} use:\n\n```\n{formula}\n```\n\nIn words: {explained}.",
            "`{formula}` does that. Put it into row 2 and fill down; {explained}.",
            "In {app} I'd write `{formula}`. What it does: {explained}. <If you see {fault}, check that both columns hold the same type, text or number.|Adjust the ranges to your sheet.>",
            "If you get {fault}, the usual suspects are numbers stored as text, stray spaces and ranges of different length. Clean those up, then this works:\n\n```\n{formula}\n```",
            "No macro needed. One formula is enough:\n\n```\n{formula}\n```\n\nThat is, {explained}. <Turn the range into a table with Ctrl+T and new rows are included.|It recalculates by itself.>",
            "The references are what matters: a dollar sign before the letter pins the column, before the number it pins the row. For your case: `{formula}`, where {explained}.",
        ),
        clarifications=(
            Clarification(
                "Which version do you have? Some functions only exist in newer ones.",
                ("{app}", "no idea, where do I see that? It's from work", "{app} I believe"),
            ),
            Clarification(
                "In which columns are the values?",
                ("A is the date, C the amount", "columns A to E", "customer in B, everything else to the right"),
            ),
        ),
        exchanges=(
            Exchange(
                (
                    "And if I have an older version without that function?",
                    "my version doesn't know this function, is there an alternative",
                ),
                (
                    "Then use INDEX with MATCH for lookups and a helper column for the rest. It's longer but works in every version.",
                    "SUMPRODUCT and INDEX/MATCH cover most of it in older versions. Tell me the column letters and I'll write it out.",
                ),
            ),
            Exchange(
                ("How do I fix the reference so it doesn't move?", "what do the dollar signs do"),
                (
                    "Press F4 while the cursor is on the reference: $A$1 pins both, A$1 the row, $A1 the column.",
                    "They pin what follows. `$A2` always looks at column A, whichever way you copy it.",
                ),
            ),
            Exchange(
                ("Can I replace the error by an empty cell?", "I don't want to see {fault}"),
                (
                    'Wrap it: `=IFERROR(your formula, "")`. Use it last, because it also hides real mistakes.',
                    "With IFERROR, yes. For lookups IFNA is better, since it leaves other errors visible.",
                ),
            ),
            Exchange(
                ("Does it still work when I sort or filter the list?", "what if new rows are added at the bottom"),
                (
                    "Format the range as a table; then formulas grow with it and follow the sorting.",
                    "Sorting is fine. For filtered sums use SUBTOTAL, which leaves out hidden rows.",
                ),
            ),
            Exchange(
                (
                    "In my version I have to use semicolons, right?",
                    "it says there's a problem with the formula, commas or semicolons?",
                ),
                (
                    "Right, with many European settings arguments are separated by semicolons and decimals by commas.",
                    "That depends on the regional settings. Replace the commas between arguments by semicolons.",
                ),
            ),
            Exchange(
                ("Would a pivot table be easier?", "should i do this with a pivot instead?"),
                (
                    "For a quick overview yes: drag the category to the rows and the amount to the values. For a fixed report the formula is sturdier.",
                    "A pivot is quicker to build but has to be refreshed. Formulas are always up to date.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("I get {fault} again", "still {fault}. I typed it exactly as you said"),
                (
                    "Sorry. Try `=ISNUMBER(A2)` on one cell of each column. If one says TRUE and the other FALSE, convert the text with VALUE or Data > Text to Columns.",
                    "Then there are invisible spaces. Wrap the lookup value in TRIM and CLEAN, and check whether a cell is merged.",
                ),
            ),
            Exchange(
                ("It just shows the formula as text", "the cell shows =... instead of a result. useless"),
                (
                    "I'm sorry, the cell is formatted as text. Set it to General, then press F2 and Enter.",
                    "That's the cell's format, or “Show formulas” is on. Ctrl+` switches it off.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Use VLOOKUP with TRUE as the last argument, that gives you exact matches.",
                (
                    "I think TRUE means approximate, doesn't it? I get wrong results",
                    "no, with TRUE I get the wrong rows. FALSE is exact",
                ),
                "You're right, I mixed them up, sorry: FALSE is the exact match. For what you want, this is simpler: `{formula}`.",
            ),
            Mistake(
                "That can't be done with a formula, you need a macro for it.",
                ("Really? A colleague did it with one formula", "hm, I saw a formula for that somewhere"),
                "I apologise, a formula is enough: `{formula}`. It works because {explained}.",
            ),
        ),
    ),
    translations={
        "german": Script(
            facts=(
                {
                    "wunsch": "den Preis zu einer Artikelnummer aus einem anderen Blatt holen",
                    "formel": '=XVERWEIS(A2; Preise!A:A; Preise!C:C; "fehlt")',
                    "erklaert": "A2 wird in der ersten Spalte von Preise gesucht und der Wert aus der dritten zurückgegeben",
                    "fehler": "#NV",
                },
                {
                    "wunsch": "alle Beträge eines Monats zusammenzählen",
                    "formel": '=SUMMEWENNS(C:C; A:A; ">="&DATUM(2026;10;1); A:A; "<"&DATUM(2026;11;1))',
                    "erklaert": "beide Bedingungen gelten für die Datumsspalte, also zählen nur die Zeilen vom Oktober",
                    "fehler": "als Ergebnis 0",
                },
                {
                    "wunsch": "die Arbeitstage zwischen zwei Daten berechnen",
                    "formel": "=NETTOARBEITSTAGE(A2; B2; Feiertage!A:A)",
                    "erklaert": "Wochenenden fallen von selbst heraus, die Feiertage stehen in der Liste",
                    "fehler": "#WERT!",
                },
                {
                    "wunsch": "Zeilen mit überschrittenem Termin rot einfärben",
                    "formel": '=UND($D2<HEUTE(); $E2<>"erledigt")',
                    "erklaert": "als bedingte Formatierung für den ganzen Bereich, das Dollarzeichen hält die Spalte fest",
                    "fehler": "die falschen Zeilen in Rot",
                },
                {
                    "wunsch": "je nach Punktzahl einen Text anzeigen",
                    "formel": '=WENNS(B2>=80; "gut"; B2>=50; "mittel"; WAHR; "schwach")',
                    "erklaert": "geprüft wird von links nach rechts, WAHR am Ende fängt den Rest auf",
                    "fehler": "die Meldung, dass die Formel ungültig ist",
                },
            ),
            slots={
                "programm": ("Excel", "Excel 2019", "LibreOffice", "Google Tabellen"),
                "tabelle": ("eine Inventarliste", "die Vereinskasse", "den Dienstplan", "eine Umsatzliste"),
            },
            contexts=(
                "Ich arbeite mit {programm}.",
                "Ich führe {tabelle} mit gut tausend Zeilen.",
                "Bisher mache ich das von Hand.",
            ),
            openings=(
                "Welche Formel brauche ich, wenn ich {wunsch} möchte?",
                "Wie kann ich in {programm} {wunsch}?",
                "{programm} Formel: {wunsch}",
                "Ich möchte {wunsch}, bekomme aber {fehler}. Was mache ich falsch?",
                "Kannst du mir die Formel `{formel}` erklären?",
                "Für {tabelle} muss ich {wunsch}. Geht das ohne Makro?",
                "Warum kommt {fehler} heraus? Meine Formel lautet {formel}",
                "Beim Herunterziehen verschiebt sich immer der Bezug. Eigentlich will ich nur {wunsch}.",
            ),
            details=(
                "Die Daten beginnen in Zeile 2.",
                "Eine Hilfsspalte wäre in Ordnung.",
                "Es eilt leider ein bisschen.",
            ),
            personal=("In A2 steht zum Beispiel {full_name}.", "Die Liste geht danach an {email}."),
            answers=(
                "Dafür nimmst du:\n\n```\n{formel}\n```\n\nIn Worten: {erklaert}.",
                "Mit `{formel}` klappt es. Schreib sie in Zeile 2 und zieh sie nach unten; {erklaert}.",
                "Wenn {fehler} erscheint, sind oft Zahlen als Text gespeichert. Wandle sie erst um, dann funktioniert diese Formel:\n\n```\n{formel}\n```",
            ),
            exchanges=(
                Exchange(
                    ("Was bedeuten die Dollarzeichen?", "Wie halte ich den Bezug fest?"),
                    (
                        "Sie halten fest, was danach kommt: $A2 die Spalte, A$2 die Zeile. Mit F4 schaltest du zwischen den Formen um.",
                    ),
                ),
                Exchange(
                    ("Kann statt des Fehlers die Zelle leer bleiben?", "Wie blende ich die Fehlermeldung aus?"),
                    (
                        'Setz die Formel in WENNFEHLER(…; ""). Mach das aber erst am Schluss, weil es auch echte Fehler verdeckt.',
                    ),
                ),
                Exchange(
                    ("Funktioniert das auch, wenn Zeilen dazukommen?", "Und wenn ich die Liste sortiere?"),
                    ("Ja, wenn du den Bereich als Tabelle formatierst. Dann wachsen die Formeln mit.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Ich bekomme immer noch {fehler}.", "Klappt nicht, weiterhin {fehler}!"),
                    (
                        "Entschuldige. Prüfe mit ISTZAHL(A2), ob beide Spalten denselben Typ haben, und entferne mit GLÄTTEN überflüssige Leerzeichen.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            facts=(
                {
                    "deseo": "buscar un precio en otra hoja por número de artículo",
                    "formula": '=BUSCARX(A2; Precios!A:A; Precios!C:C; "falta")',
                    "explicado": "busca A2 en la primera columna de Precios y devuelve lo que hay en la tercera",
                    "fallo": "#N/D",
                },
                {
                    "deseo": "sumar todos los importes de un mes",
                    "formula": '=SUMAR.SI.CONJUNTO(C:C; A:A; ">="&FECHA(2026;10;1); A:A; "<"&FECHA(2026;11;1))',
                    "explicado": "las dos condiciones se aplican a la columna de fechas, así que solo suma octubre",
                    "fallo": "un cero",
                },
                {
                    "deseo": "calcular los días laborables entre dos fechas",
                    "formula": "=DIAS.LAB(A2; B2; Festivos!A:A)",
                    "explicado": "los fines de semana se descuentan solos y los festivos salen de la lista",
                    "fallo": "#¡VALOR!",
                },
                {
                    "deseo": "mostrar un texto según la puntuación",
                    "formula": '=SI.CONJUNTO(B2>=80; "bien"; B2>=50; "regular"; VERDADERO; "flojo")',
                    "explicado": "comprueba las condiciones de izquierda a derecha y VERDADERO recoge el resto",
                    "fallo": "un aviso de que la fórmula no es válida",
                },
            ),
            slots={
                "programa": ("Excel", "Excel 365", "LibreOffice", "Hojas de cálculo"),
                "hoja": (
                    "un inventario",
                    "las cuentas de la comunidad",
                    "una lista de ventas",
                    "el presupuesto familiar",
                ),
            },
            contexts=("Uso {programa}.", "Llevo {hoja} con unas mil filas.", "Hasta ahora lo hago todo a mano."),
            openings=(
                "¿Qué fórmula necesito para {deseo}?",
                "¿Cómo puedo {deseo} en {programa}?",
                "fórmula de {programa} para {deseo}",
                "Quiero {deseo}, pero me sale {fallo}. ¿Qué estoy haciendo mal?",
                "¿Me puedes explicar esta fórmula? {formula}",
                "Para {hoja} tengo que {deseo}. ¿Se puede sin macros?",
                "¿Por qué me sale {fallo}? Mi fórmula es `{formula}`",
                "Al arrastrar la fórmula se mueve la referencia y yo solo quiero {deseo}.",
            ),
            details=("Los datos empiezan en la fila 2.", "Puedo añadir una columna auxiliar.", "Lo necesito para hoy."),
            personal=("En A2 pone por ejemplo {full_name}.", "Después se lo mando a {email}."),
            answers=(
                "Puedes usar:\n\n```\n{formula}\n```\n\nEs decir, {explicado}.",
                "Con `{formula}` funciona. Escríbela en la fila 2 y arrástrala hacia abajo: {explicado}.",
                "Si te sale {fallo}, casi siempre hay números guardados como texto. Conviértelos primero y después prueba esto:\n\n```\n{formula}\n```",
            ),
            exchanges=(
                Exchange(
                    ("¿Para qué sirven los signos de dólar?", "¿Cómo fijo la referencia?"),
                    ("Fijan lo que viene detrás: $A2 la columna y A$2 la fila. Con F4 cambias de una forma a otra.",),
                ),
                Exchange(
                    ("¿Puede quedar la celda vacía en vez del error?", "¿Cómo oculto el error?"),
                    (
                        'Mete la fórmula dentro de SI.ERROR(…; ""). Hazlo al final, porque también oculta fallos de verdad.',
                    ),
                ),
                Exchange(
                    ("¿Y si añado filas nuevas?", "¿Funciona también al ordenar la lista?"),
                    ("Sí, si das formato de tabla al rango; así las fórmulas crecen con él.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Me sigue saliendo {fallo}.", "No funciona, otra vez {fallo}."),
                    (
                        "Perdona. Comprueba con ESNUMERO(A2) que las dos columnas tengan el mismo tipo y quita los espacios con ESPACIOS.",
                    ),
                ),
            ),
        ),
    },
)

_PANDAS_CLEANING = Intent(
    domain="data_work",
    name="pandas_cleaning",
    weight=1.0,
    weekend=0.5,
    script=Script(
        facts=(
            {
                "job": "parse dates in mixed formats",
                "code": "frame['date'] = pd.to_datetime(frame['date'], format='mixed', dayfirst=True, errors='coerce')",
                "how": "each value is parsed on its own and whatever can't be read becomes NaT",
                "check": "frame['date'].isna().sum()",
            },
            {
                "job": "drop duplicate rows but keep the newest one",
                "code": "frame = frame.sort_values('updated_at').drop_duplicates('customer_id', keep='last')",
                "how": "sorting puts the newest last, and keep='last' holds on to it",
                "check": "frame['customer_id'].is_unique",
            },
            {
                "job": "fill missing values with the mean of their group",
                "code": "frame['price'] = frame['price'].fillna(frame.groupby('category')['price'].transform('mean'))",
                "how": "transform returns a value for every row, so it lines up with the column",
                "check": "frame['price'].isna().mean()",
            },
            {
                "job": "turn a wide table with one column per month into a long one",
                "code": "long = frame.melt(id_vars='store', var_name='month', value_name='sales')",
                "how": "melt keeps the id columns and stacks the others below each other",
                "check": "len(long) == len(frame) * 12",
            },
            {
                "job": "merge two data frames without losing rows",
                "code": "merged = orders.merge(customers, on='customer_id', how='left', validate='many_to_one', indicator=True)",
                "how": "validate raises if a customer occurs twice, and indicator shows which rows found a partner",
                "check": "merged['_merge'].value_counts()",
            },
            {
                "job": "convert prices like '1.299,00 €' to numbers",
                "code": "frame['price'] = (\n    frame['price'].str.replace('.', '', regex=False).str.replace(',', '.', regex=False).str.rstrip(' €').astype(float)\n)",
                "how": "the thousands separator goes first, then the decimal comma becomes a point",
                "check": "frame['price'].describe()",
            },
            {
                "job": "read a 6 GB CSV that doesn't fit into memory",
                "code": "parts = pd.read_csv('events.csv', usecols=['user', 'amount'], chunksize=500_000)\ntotal = pd.concat(part.groupby('user')['amount'].sum() for part in parts).groupby(level=0).sum()",
                "how": "only two columns are read, piece by piece, and the partial sums are added up",
                "check": "total.sum()",
            },
            {
                "job": "get rid of the SettingWithCopyWarning",
                "code": "berlin = frame.loc[frame['city'] == 'Berlin'].copy()\nberlin['net'] = berlin['gross'] / 1.19",
                "how": "copy makes the selection a frame of its own, so the assignment is unambiguous",
                "check": "berlin.head()",
            },
        ),
        slots={
            "data": (
                "a shop export",
                "survey results",
                "sensor readings",
                "bank transactions",
                "a CRM dump",
                "open data from the city",
            ),
            "size": ("20k rows", "half a million rows", "1.2 million rows", "a few hundred rows"),
        },
        contexts=(
            "I have {data} as a CSV, {size}.",
            "I'm moving from Excel to pandas.",
            "This is in a Jupyter notebook.",
            "The data is {data} and quite dirty.",
            "I have to hand it in on Friday.",
        ),
        openings=(
            "How do I {job} <in pandas|with pandas>?",
            "I need to {job}, {data}, {size}.",
            "pandas {job}",
            "What's the best way to {job} <without a loop|that is also fast>?",
            "Can pandas {job}? <My loop over the rows takes forever.|I've only found answers for old versions.>",
            "My DataFrame has {size} and I want to {job}. <apply() is far too slow.|How?>",
            "Please show me some pandas code to {job}.",
            "```python\n{code}\n```\n\nWhy does this give me NaN everywhere? I'm trying to {job}.",
            "I'm cleaning {data} and have to {job}. Which functions do I need?",
            "Trying to {job} but the result has fewer rows than before, what happened?",
            "Is there something better than iterrows to {job}?",
            "Explain what this line does please: `{code}`",
            "Half of the values in {data} are broken. I'd like to {job}, step by step if possible.",
            "Would you use pandas or polars to {job} with {size}?",
        ),
        details=(
            "pandas 3 by the way.",
            "Column names are in German.",
            "I'd like to keep the original column.",
            "Speed isn't important.",
            "It should not change the order of the rows.",
        ),
        personal=("The column 'owner' has values like {full_name}.", "The file comes from {colleague}."),
        answers=(
            "You can {job} like this:\n\n```python\n{code}\n```\n\nWhat happens: {how}. Check the result with `{check}`.",
            "```python\n{code}\n```\n\n{How}. <No loop needed.|It's vectorised, so {size} take a moment at most.>",
            "Avoid iterrows and apply here, they call Python for each row. To {job}:\n\n```python\n{code}\n```",
            "First look at the types with `frame.info()`; most surprises come from a column of text. Then {job}:\n\n```python\n{code}\n```\n\nAfterwards `{check}` tells you whether it worked.",
            "NaN everywhere usually means that the indexes don't match: pandas aligns by label, not by position. This version avoids that, because {how}:\n\n```python\n{code}\n```",
            "For {data} I'd do it in three steps: keep the raw column, {job}, and compare the row counts.\n\n```python\n{code}\n```\n\nThe last check is `{check}`.",
        ),
        clarifications=(
            Clarification(
                "What does `frame.dtypes` say about the columns concerned?",
                ("object, all of them", "str and float64", "it says object for the date"),
            ),
            Clarification(
                "Could you show two or three example rows?",
                (
                    "'12/03/2026', 'A', 4.5 and so on",
                    "sorry, can't share it, but it looks like {data}",
                    "row 1 is fine, row 2 has an empty cell",
                ),
            ),
        ),
        exchanges=(
            Exchange(
                ("How many rows were affected?", "how can i see which rows couldn't be converted"),
                (
                    "Compare before and after: `frame[frame['value'].isna()]` lists those that couldn't be converted.",
                    "Keep a mask: `bad = converted.isna() & original.notna()`, then `frame[bad]` shows them.",
                ),
            ),
            Exchange(
                ("What does inplace=True do, should I use it?", "do I have to assign it back"),
                (
                    "Assign the result. `inplace` saves no memory in most cases and makes chains impossible.",
                    "Yes, most methods return a new frame, so without an assignment nothing changes.",
                ),
            ),
            Exchange(
                ("How do I save it as Parquet?", "csv or parquet for the cleaned data?"),
                (
                    "`frame.to_parquet('clean.parquet', index=False)`. It keeps the types and is much smaller than CSV.",
                    "Parquet, because dates and categories come back as they were. CSV only if a person has to open it.",
                ),
            ),
            Exchange(
                ("Can I do several columns at once?", "same thing for ten columns?"),
                (
                    "Loop over the column names; that's ten steps and not a million: `for column in columns: frame[column] = ...`.",
                    "Yes, select them with a list, `frame[columns]`, and use a method that works on frames.",
                ),
            ),
            Exchange(
                ("Why transform and not agg?", "what's the difference between loc and iloc"),
                (
                    "`agg` returns one row per group, `transform` one per original row, and `loc` goes by label where `iloc` goes by position.",
                    "Use `loc` for labels and conditions, `iloc` for positions. For grouped values that must fit the frame it's `transform`.",
                ),
            ),
            Exchange(
                ("It works! And how do I plot it by month?", "now I'd like the monthly totals"),
                (
                    "`frame.set_index('date')['amount'].resample('MS').sum().plot()` gives you monthly totals as a line.",
                    "Group with `frame.groupby(frame['date'].dt.to_period('M'))['amount'].sum()`, then `.plot.bar()`.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("KeyError, it says the column doesn't exist", "Now I get 'KeyError' although the column IS there"),
                (
                    "Sorry. Print `list(frame.columns)`: there's often a trailing space or a byte-order mark. `frame.columns = frame.columns.str.strip()` fixes the first.",
                    "Then the name differs invisibly. Read the file with `encoding='utf-8-sig'` and strip the column names.",
                ),
            ),
            Exchange(
                ("All values are NaN now. Great.", "that turned my whole column into NaT"),
                (
                    "I'm sorry, the conversion didn't understand the format. Keep a copy of the original column, and pass the exact format for the first few values.",
                    "Apologies. With errors='coerce' failures become missing values; take it out once to see the first value that fails.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Loop over the rows with iterrows and assign to `row`. The frame is changed as you go.",
                ("I did and nothing changed in the frame", "doesn't iterrows give you copies?"),
                "Right, rows from iterrows are copies, so the frame stays as it was. I'm sorry. Use this:\n\n```python\n{code}\n```",
            ),
        ),
    ),
)

INTENTS = (_SQL_QUERY, _SLOW_QUERY, _SPREADSHEET_FORMULA, _PANDAS_CLEANING)

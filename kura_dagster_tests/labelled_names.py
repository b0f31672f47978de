"""Pairs of cluster names that mean the same, and pairs that lie close together and do not: written by hand.

The limit from which two names count as one (`cluster_names.SAME_MEANING`) was chosen on the first half of each list,
every other pair, and is held to all of them by a test.
"""

SAME = """\
Reset a forgotten password | Recover a lost password
Write a cover letter for a job | Draft cover letters for job applications
Plan a week of vegetarian meals | Create a weekly vegetarian meal plan
Debug a Python script that crashes | Fix crashing Python scripts
Translate text from English to Spanish | Translate English text into Spanish
Find the cause of a slow SQL query | Diagnose slow SQL queries
Request a refund for a damaged item | Ask for a refund on damaged products
Summarise a research paper | Summarize academic papers
Write a poem about autumn | Compose poems about autumn
Get ideas for a birthday party | Suggest birthday party ideas
Cancel a subscription | End a subscription
Explain a medical test result | Interpret results of medical tests
Improve the grammar of an essay | Correct grammar in essays
Check the balance of a bank account | Look up a bank account balance
Report a stolen credit card | Report that a credit card was stolen
Solve quadratic equations | Find solutions to quadratic equations
Choose a laptop for students | Recommend laptops for students
Track a delayed package | Find out where a delayed parcel is
Create a workout routine for beginners | Design beginner workout plans
Set up a Kubernetes cluster | Configure Kubernetes clusters
Write unit tests for JavaScript code | Create JavaScript unit tests
Convert a CSV file to JSON | Transform CSV files into JSON
Book a table at a restaurant | Make restaurant reservations
Prepare for a job interview | Practise for job interviews
Learn basic German phrases | Teach beginners' German phrases
Understand a rental contract | Explain clauses of rental agreements
Write marketing emails | Draft promotional emails
Generate names for a startup | Brainstorm startup names
Change a flight booking | Modify flight reservations
Explain photosynthesis to children | Describe photosynthesis for kids
Fix a broken Docker build | Resolve failing Docker builds
Update the shipping address of an order | Change the delivery address for an order
Write product descriptions for an online shop | Create product descriptions for online stores
Calculate monthly loan payments | Work out monthly payments on a loan
Deal with anxiety before exams | Cope with exam anxiety
Write a short horror story | Create short horror stories
Install software on Linux | Set up programs on Linux
Compare mobile phone plans | Find differences between cell phone plans
Review a business plan | Give feedback on business plans
Get help with tax returns | File a tax return
"""

DIFFERENT = """\
Reset a forgotten password | Change the email address of an account
Write unit tests for JavaScript code | Write unit tests for Python code
Book a flight | Cancel a flight
Translate English text into Spanish | Translate English text into French
Plan a week of vegetarian meals | Plan a week of exercise
Report a stolen credit card | Apply for a credit card
Check the balance of a bank account | Open a bank account
Write a cover letter for a job | Write a letter of resignation
Write a poem about autumn | Write a poem about love
Summarise a research paper | Write a research paper
Fix a broken Docker build | Reduce the size of a Docker image
Request a refund for a damaged item | Exchange a damaged item for a new one
Track a delayed package | Complain about a damaged package
Increase a credit limit | Check a credit limit
Convert a CSV file to JSON | Convert a JSON file to XML
Solve quadratic equations | Solve differential equations
Set an alarm | Set a timer
Learn basic German phrases | Learn German grammar
Explain a medical test result | Explain the side effects of a medicine
Calculate monthly loan payments | Apply for a loan
Get ideas for a birthday party | Get ideas for a birthday present
Write a short horror story | Write a short love story
Change a flight booking | Ask about luggage on a flight
Improve the grammar of an essay | Write an essay about climate change
Choose a laptop for students | Repair a laptop that does not start
Set up a Kubernetes cluster | Debug pods that crash in Kubernetes
Prepare for a job interview | Conduct a job interview
Cook a vegetarian lasagne | Cook a beef lasagne
Update the shipping address of an order | Cancel an order
Write SQL queries that join tables | Find the cause of slow SQL queries
Turn on the lights in the kitchen | Turn up the volume of the music
Explain Python decorators | Explain Python generators
Plan a trip to Japan | Plan a trip to Italy
Report a lost phone | Report a lost credit card
Write product descriptions for an online shop | Write reviews of products from an online shop
Find gluten free recipes | Find recipes with a low sugar content
Transfer money between bank accounts | Report fraud on a bank account
Check flight status | Check order status
Compare mobile phone plans | Cancel a mobile phone plan
Write marketing emails | Write apology emails to customers
"""


def pairs(listed: str) -> list[tuple[str, str]]:
    """Return the pairs of a list above."""
    return [(one, other) for one, _, other in (line.partition(" | ") for line in listed.splitlines())]

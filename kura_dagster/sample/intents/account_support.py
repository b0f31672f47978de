"""Account and billing support of the product that hosts the assistant, a fictional project planner named Larkboard."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_CANCEL_SUBSCRIPTION = Intent(
    domain="account_support",
    name="cancel_subscription",
    weight=1.6,
    script=Script(
        slots={
            "plan": ("Starter", "Pro", "Team", "Pro annual", "Team annual", "student"),
            "renewal": ("14th", "20th", "end of the month", "1st of December", "17th of November", "28th"),
            "reason": (
                "I hardly open it any more",
                "I only needed it for one project",
                "I've moved everything into a spreadsheet",
                "the client I used it for is gone",
                "I need to cut my monthly costs",
                "my employer now gives us another planner",
                "it's more than I need for two small projects",
            ),
        },
        contexts=(
            "I've been on the {plan} plan <since spring|for about a year|for three months>.",
            "My card gets charged again on the {renewal} I think.",
            "We used Larkboard for a single project that <has just ended|is finished now>.",
            "I signed up for the trial last month and forgot about it.",
            "Nothing against the app, <but|it's just that> {reason}.",
            "There are five people in my workspace, three of them guests.",
        ),
        openings=(
            "<How do I|How can I|Where do I> cancel my {plan} subscription?",
            "I want to cancel Larkboard before it renews on the {renewal}. <Where is the button?|How do I do that?>",
            "<cancel subscription|cancelling {plan} plan|end my {plan} subscription|stop auto renewal>",
            "Please <turn off|stop> the automatic renewal of my {plan} plan, {reason}.",
            "<Is it possible|Am I able> to cancel <today|now> and still use the {plan} plan until the {renewal}?",
            "I need to <end|cancel|close> my {plan} subscription because {reason}.",
            "I can't find <any way|where> to cancel. <Under Billing|On the plan page> it only offers me an upgrade!",
            "What happens to my boards if I cancel the {plan} plan <now|this week>?",
            "I'd like to <drop|downgrade> from {plan} to the free plan, {reason}",
            "<Can you|Could you> walk me through cancelling? {reason} and I don't want to pay for another <month|period>.",
            "My trial <ends|runs out> on the {renewal} and I don't want it to turn into a paid {plan} plan. What do I need to do?",
            "Do I have to cancel in the app store or on your website? It's a {plan} plan <bought on my phone|from the App Store>.",
            "Unsubscribe me please. {reason}.",
            "I clicked cancel last week but my account still says '{plan}, renews on the {renewal}'. Is it cancelled or not?",
            "We're closing our workspace at the end of the year, how do I make sure the {plan} plan <isn't billed again|ends with it>?",
        ),
        details=(
            "I don't want to lose my boards though.",
            "I'm the only admin.",
            "I pay yearly, if that makes a difference.",
            "Do I get a confirmation?",
            "I'd rather not talk to a sales person about it.",
            "Web version, not the app.",
        ),
        personal=(
            "The account is under {email}.",
            "It's registered to {full_name}, {email}.",
            "My name is {full_name} and the workspace is in my name.",
            "If you need to confirm anything, call me on {phone}.",
        ),
        answers=(
            "You can cancel in a minute: open Settings > Billing > Manage plan and choose “Cancel renewal”. Your {plan} plan stays active until the {renewal}, after that the workspace switches to Free. <Nothing is deleted|Your boards stay where they are>, but boards beyond the third become read-only.",
            "To stop the {plan} plan from renewing:\n\n1. Open Settings > Billing.\n2. Click Manage plan, then Cancel renewal.\n3. Pick a reason and confirm.\n\nYou'll get an e-mail that says the subscription ends on the {renewal}. <If it doesn't arrive within an hour, the cancellation did not go through.|Keep that mail as your proof.>",
            "Cancelling is only shown to workspace owners, so check first that Settings > Members lists you as Owner. Then Billing > Manage plan > Cancel renewal ends the subscription at the end of the period you've paid for. You <won't be charged again|keep every {plan} feature until then>.",
            "It depends on where you bought the plan. A subscription taken out on the website is cancelled under Settings > Billing; one taken out on a phone is cancelled in the app store's own subscription list, because the store bills you and not Larkboard. In both cases the {plan} plan runs until the {renewal}.",
            "Sure. On the Billing page, scroll past the upgrade offer to the small “Manage plan” link; the cancel option is behind it. Once you confirm, the status changes to “Ends on the {renewal}”. <You can undo it with one click until that day.|Guests keep read access for another 30 days.>",
            "If you'd rather not end it altogether, you can also pause the {plan} plan for up to three months under Billing > Manage plan > Pause. To cancel for good, choose Cancel renewal in the same place. Either way your data is kept and nothing is charged on the {renewal}.",
        ),
        clarifications=(
            Clarification(
                "Did you subscribe on the website or through an app store? The steps differ.",
                (
                    "on the website, with a credit card",
                    "I think it was on my iPhone",
                    "Website. I get the invoices by mail.",
                ),
            ),
            Clarification(
                "Are you the owner of the workspace, or a member who was invited?",
                ("I'm the owner", "owner, I created it", "I was invited first but then they made me owner"),
            ),
        ),
        exchanges=(
            Exchange(
                (
                    "Will I get money back for the <days|weeks> I don't use?",
                    "is there a partial refund for the rest of the <month|year>?",
                ),
                (
                    "Monthly plans aren't refunded in part; they simply run out. On an annual plan you can ask for the unused full months within 30 days of the renewal.",
                    "Not for a monthly plan, no. For an annual one, unused full months can be credited if you ask within 30 days of being charged.",
                ),
            ),
            Exchange(
                ("And what happens to my files <after that|then>?", "how long do you keep my boards after it ends?"),
                (
                    "Boards and attachments are kept for twelve months on the free plan. After that you get two reminders before anything is removed.",
                    "They stay. Attachments over the free plan's 2 GB can still be downloaded but you can't add new ones until you're below the limit.",
                ),
            ),
            Exchange(
                (
                    "Can I come back later <without starting over|and pick up where I left>?",
                    "what if I change my mind in a few months",
                ),
                (
                    "Yes. Choose a plan again under Billing and the read-only boards unlock right away, with their history.",
                    "You can reactivate at any time within twelve months; the price is the one in force on that day.",
                ),
            ),
            Exchange(
                (
                    "Do the others in my workspace get <notified|a message> about it?",
                    "will my team mates see that I cancelled?",
                ),
                (
                    "Members see a banner a week before the plan ends. Guests aren't told anything.",
                    "Only admins get an e-mail. Everyone else notices a small banner during the last seven days.",
                ),
            ),
            Exchange(
                ("Should I export everything first?", "how do i back up the boards before it ends"),
                (
                    "It's a good habit: Settings > Workspace > Export gives you a ZIP with each board as CSV plus all attachments.",
                    "You don't have to, but an export from Settings > Workspace takes only a few minutes and covers boards, comments and files.",
                ),
            ),
            Exchange(
                (
                    "ok I see “Ends on the {renewal}” now, is that it?",
                    "It now says the plan ends on the {renewal}. Does that mean it worked?",
                ),
                (
                    "Yes, that's it. No further charge will be made.",
                    "That is the confirmation. The renewal is off, and you can keep working with all {plan} features until then.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "There is no “Manage plan” on my Billing page",
                    "I don't have a cancel option. The page just shows my card and the next charge.",
                ),
                (
                    "Then the plan is most likely billed through an app store or a reseller. Look for a line “Billed by …” under your card; the cancellation has to be made there.",
                    "I'm sorry, that means your role is Admin and not Owner. Ask the owner to cancel, or have the ownership transferred under Settings > Members.",
                ),
            ),
            Exchange(
                (
                    "I cancelled and was charged again this morning",
                    "Your steps did nothing, the renewal date is still there",
                ),
                (
                    "That shouldn't happen. Please send the charge's date and the last four digits of the card through the Billing form; a charge after a confirmed cancellation is returned in full.",
                    "Sorry about that. Try it in a private window, because an ad blocker can swallow the confirmation dialog. If the date is still shown, the support team can end the plan by hand.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "You can delete the subscription under Profile > Delete account. That ends all charges at once.",
                (
                    "Wait, that would delete my whole account. I only want to stop paying.",
                    "that's deleting the account, not cancelling the plan!!",
                ),
                "You're right, and I apologise: deleting the account would remove your boards too. To stop paying only, use Settings > Billing > Manage plan > Cancel renewal.",
            ),
            Mistake(
                "Once you cancel, the workspace is locked immediately and the boards are removed after 7 days.",
                (
                    "Are you sure? Your help page says it runs until the end of the period",
                    "That contradicts the pricing page, it says I keep it until the {renewal}",
                ),
                "Sorry, that was wrong. The {plan} plan stays usable until the {renewal}, and the boards are kept on the free plan afterwards.",
            ),
        ),
    ),
    translations={
        "german": Script(
            slots={
                "plan": ("Starter-Tarif", "Pro-Tarif", "Team-Tarif", "Jahrestarif"),
                "termin": ("14. November", "20. November", "Monatsende", "1. Dezember", "28. November"),
                "grund": (
                    "ich nutze es kaum noch",
                    "das Projekt ist abgeschlossen",
                    "ich muss gerade sparen",
                    "wir sind auf ein anderes Werkzeug umgestiegen",
                    "für mich allein ist es zu teuer",
                ),
            },
            contexts=(
                "Ich habe seit dem Frühjahr den {plan}.",
                "Ich hatte im Oktober den Testzeitraum gestartet und dann vergessen.",
                "Unser Team ist inzwischen nur noch zu zweit.",
            ),
            openings=(
                "Wie kann ich mein Abo kündigen? Ich habe den {plan}.",
                "Ich möchte meinen {plan} zum {termin} kündigen, {grund}.",
                "<Abo kündigen|Kündigung {plan}|Automatische Verlängerung abschalten>",
                "Bitte beenden Sie die automatische Verlängerung, {grund}.",
                "Wo finde ich die Kündigung? Unter Abrechnung wird mir nur ein größerer Tarif angeboten.",
                "Was passiert mit meinen Boards, wenn ich den {plan} jetzt kündige?",
                "Ich will vom {plan} zurück auf den kostenlosen Tarif, {grund}. Wie geht das?",
                "Muss ich über die App kündigen oder auf der Webseite? Es geht um den {plan}, der sich zum {termin} verlängert.",
                "Letzte Woche habe ich gekündigt, im Konto steht aber immer noch „verlängert sich zum {termin}“. Ist das jetzt durch?",
            ),
            details=("Ich zahle jährlich.", "Meine Daten möchte ich gern behalten.", "Bekomme ich eine Bestätigung?"),
            personal=(
                "Das Konto läuft auf {email}.",
                "Mein Name ist {full_name}.",
                "Sie erreichen mich unter {phone}.",
            ),
            answers=(
                "Öffnen Sie Einstellungen > Abrechnung > Tarif verwalten und wählen Sie „Verlängerung kündigen“. Ihr {plan} läuft noch bis zum {termin}, danach wechselt der Arbeitsbereich in den kostenlosen Tarif. Gelöscht wird dabei nichts.",
                "Das geht in drei Schritten:\n\n1. Einstellungen > Abrechnung öffnen\n2. auf „Tarif verwalten“ klicken\n3. „Verlängerung kündigen“ bestätigen\n\nKurz darauf erhalten Sie eine Bestätigung per E-Mail mit dem Enddatum {termin}.",
                "Kündigen kann nur, wer Eigentümer des Arbeitsbereichs ist. Prüfen Sie das unter Einstellungen > Mitglieder. Wurde der {plan} über einen App-Store abgeschlossen, muss er auch dort gekündigt werden.",
            ),
            exchanges=(
                Exchange(
                    ("Bekomme ich für die restliche Zeit Geld zurück?", "Gibt es eine anteilige Erstattung?"),
                    (
                        "Bei monatlicher Zahlung nicht, der Tarif läuft einfach aus. Bei jährlicher Zahlung können Sie innerhalb von 30 Tagen die vollen ungenutzten Monate zurückfordern.",
                    ),
                ),
                Exchange(
                    ("Und wie lange bleiben meine Daten gespeichert?", "Was ist danach mit meinen Dateien?"),
                    (
                        "Boards und Anhänge bleiben zwölf Monate erhalten. Bevor etwas gelöscht wird, bekommen Sie zwei Erinnerungen.",
                    ),
                ),
                Exchange(
                    ("Kann ich später wieder einsteigen?", "Und wenn ich es mir anders überlege?"),
                    (
                        "Ja, jederzeit. Sobald Sie wieder einen Tarif wählen, sind alle schreibgeschützten Boards sofort frei.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Bei mir gibt es „Tarif verwalten“ nicht.", "Das funktioniert nicht, der Knopf fehlt einfach."),
                    (
                        "Das tut mir leid. Dann sind Sie vermutlich Administrator und nicht Eigentümer, oder der Tarif wird über einen App-Store abgerechnet. Unter Ihrer Karte steht, wer abrechnet.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            slots={
                "plan": ("plan Starter", "plan Pro", "plan Team", "plan anual"),
                "fecha": ("14 de noviembre", "20 de noviembre", "1 de diciembre", "28 de noviembre"),
                "motivo": (
                    "ya casi no lo uso",
                    "el proyecto terminó",
                    "tengo que reducir gastos",
                    "en la empresa usamos ahora otra herramienta",
                    "me resulta demasiado caro",
                ),
            },
            contexts=(
                "Llevo casi un año con el {plan}.",
                "Empecé la prueba gratuita el mes pasado y se me olvidó.",
                "Ya solo somos dos en el espacio de trabajo.",
            ),
            openings=(
                "¿Cómo puedo cancelar mi suscripción? Tengo el {plan}.",
                "Quiero cancelar el {plan} antes del {fecha} porque {motivo}.",
                "<cancelar suscripción|dar de baja el {plan}|desactivar renovación automática>",
                "Por favor, desactiven la renovación automática, {motivo}.",
                "No encuentro dónde cancelar, en la página de facturación solo me ofrecen un plan más caro.",
                "¿Qué pasa con mis tableros si cancelo el {plan} ahora?",
                "Me gustaría volver al plan gratuito, {motivo}. ¿Qué tengo que hacer?",
                "Cancelé la semana pasada, pero en mi cuenta sigue poniendo que se renueva el {fecha}. ¿Está cancelado o no?",
            ),
            details=("Pago una vez al año.", "No quiero perder mis tableros.", "¿Me llega alguna confirmación?"),
            personal=("La cuenta está a nombre de {full_name}.", "Mi correo es {email}.", "Mi teléfono es el {phone}."),
            answers=(
                "Entra en Ajustes > Facturación > Gestionar plan y elige «Cancelar renovación». Tu {plan} seguirá activo hasta el {fecha} y después el espacio pasará al plan gratuito. No se borra nada.",
                "Son tres pasos:\n\n1. Abre Ajustes > Facturación.\n2. Pulsa «Gestionar plan».\n3. Confirma «Cancelar renovación».\n\nRecibirás un correo de confirmación con la fecha final, el {fecha}.",
                "Solo puede cancelar quien sea propietario del espacio; compruébalo en Ajustes > Miembros. Si contrataste el {plan} desde el móvil, hay que cancelarlo en la tienda de aplicaciones.",
            ),
            exchanges=(
                Exchange(
                    ("¿Me devuelven el dinero de los días que no use?", "¿Hay reembolso parcial?"),
                    (
                        "En los planes mensuales no, simplemente terminan. En los anuales puedes pedir los meses completos sin usar durante los primeros 30 días.",
                    ),
                ),
                Exchange(
                    ("¿Y cuánto tiempo guardan mis archivos?", "¿Qué pasa después con mis datos?"),
                    (
                        "Los tableros y los adjuntos se conservan doce meses, y avisamos dos veces antes de borrar algo.",
                    ),
                ),
                Exchange(
                    ("¿Puedo volver más adelante?", "¿Y si cambio de opinión?"),
                    ("Claro. Al elegir otra vez un plan, los tableros de solo lectura se desbloquean al momento.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("No me aparece «Gestionar plan» por ninguna parte.", "Eso no funciona, el botón no existe."),
                    (
                        "Lo siento. Entonces tu rol es administrador y no propietario, o el plan se cobra a través de una tienda de aplicaciones. Debajo de la tarjeta pone quién factura.",
                    ),
                ),
            ),
        ),
    },
)

_DUPLICATE_CHARGE = Intent(
    domain="account_support",
    name="duplicate_charge",
    weight=1.2,
    script=Script(
        slots={
            "amount": ("$12.00", "$24.00", "$96.00", "$19.90", "$49", "€14.28", "£11", "$144"),
            "plan": ("Pro", "Team", "Starter", "Pro annual"),
            "when": ("this morning", "yesterday", "on the 2nd", "on Monday", "last Thursday", "on the 30th of October"),
            "statement": ("bank statement", "card statement", "online banking", "credit card bill"),
        },
        contexts=(
            "I just went through my {statement}.",
            "I'm on the {plan} plan and have never had more than one workspace.",
            "My bank has just <sent me an alert|flagged something>.",
            "I changed my card <last week|a few days ago>.",
            "We upgraded to {plan} {when}.",
        ),
        openings=(
            "I was charged twice for the {plan} plan {when}. <Please refund one of them.|Why?>",
            "Why <are there|do I see> two charges of {amount} on my {statement}?",
            "<double charge {amount}|charged twice for {plan}|duplicate payment {when}|refund for wrong charge>",
            "There's a payment of {amount} to Larkboard that I <don't recognise|never agreed to>. <Can you tell me what it is for?|I want it back.>",
            "I want a refund. You took {amount} {when} although I cancelled <in October|two weeks ago>.",
            "My {statement} shows {amount} from you but the {plan} plan costs less than that. What is the difference?",
            "Can I get my money back for {plan}? I upgraded by accident {when}.",
            "You charged my old card AND my new one, {amount} each. <How do I get one of them back?|Please sort this out.>",
            "How long does a refund <of {amount} |>take? I was told {when} that it's on its way.",
            "I need to dispute a charge of {amount}. It was made {when} for a plan we <don't have|no longer have>.",
            "Is the second {amount} only a reservation or a real charge? It appeared {when}.",
            "I requested a refund for the duplicate {amount} {when} and nothing has arrived. Where is it?",
            "We were billed for {plan} and for the trial <on the same day|at once>, {amount} too much. Who do I write to?",
            "Hello, I noticed an overpayment. Two debits, both {amount}, both from {when}. <How can this be reversed?|Could one be returned?>",
        ),
        details=(
            "I only have one account.",
            "Both have the same reference.",
            "It's a debit card.",
            "I can send a screenshot.",
            "Otherwise I'll have to ask my bank to pull it back.",
        ),
        personal=(
            "The card is in the name of {full_name}.",
            "Please send the refund confirmation to {email}.",
            "My account e-mail is {email} and my phone is {phone}.",
            "This is {full_name}, I also called from {phone}.",
        ),
        answers=(
            "I'm sorry about the surprise. Two charges of {amount} on the same day are usually one payment and one authorisation that the bank has not released yet. The authorisation <drops off|disappears> within five working days; if both show as booked after that, the second one is refunded in full.",
            "Let's check which charge is which. Under Settings > Billing > Invoices every real payment has an invoice. If you find only one invoice for {amount}, the other entry is a pending authorisation. If there are two, choose “Report a problem” beside the later one and it will be returned to the same card.",
            "A refund goes back to the card that was charged and takes five to ten working days, depending on your bank. To start it, open the invoice of the charge made {when} and click Request refund. <You'll get a reference number by e-mail.|Duplicates are approved automatically.>",
            "The {amount} could be a pro-rata charge: when seats or the {plan} plan are added in the middle of a period, the rest of that period is billed at once and the full price follows on the renewal day. The invoice's second line shows the days it covers.",
            "That looks like a duplicate. It happens when a payment page is reloaded while the bank is still confirming. Please don't start a chargeback at your bank yet, because that freezes the workspace; a duplicate reported under Billing > Invoices is paid back within a week.",
            "If the charge belongs to an upgrade made by accident, you can reverse it within 14 days: Billing > Manage plan > Undo upgrade. The {amount} is credited to your card and the workspace returns to the former plan. <Nothing on the boards changes.|You keep your settings.>",
        ),
        clarifications=(
            Clarification(
                "Do both entries show as booked, or is one of them marked as pending?",
                (
                    "both are booked",
                    "one says pending, now that you mention it",
                    "not sure, my bank just lists them one below the other",
                ),
            ),
            Clarification(
                "Do the two charges carry the same invoice number?",
                ("no, they end in 118 and 119", "Yes the same number", "there is no invoice number, only 'LARKBOARD'"),
            ),
        ),
        exchanges=(
            Exchange(
                ("How <long|many days> until the money is back on my card?", "when will i see the refund"),
                (
                    "Usually five working days, with some banks ten. Credit cards show it as a separate credit, not as a removed charge.",
                    "Most banks book it within a week. If it hasn't arrived after ten working days, send us the reference and we trace it.",
                ),
            ),
            Exchange(
                (
                    "Can it be credited to the next <invoice|month> instead?",
                    "I'd also take it as credit for next month",
                ),
                (
                    "Yes. When you request the refund choose “Account credit”; it's applied to the next invoice automatically.",
                    "That works and is even faster: account credit is available at once and doesn't expire.",
                ),
            ),
            Exchange(
                (
                    "The card it was charged to <has expired|is blocked>. What happens <to the refund|then>?",
                    "my old card is closed, where does the money go?",
                ),
                (
                    "Banks forward refunds on closed cards to the account behind it in most cases. If it bounces, we'll ask you for other bank details.",
                    "It's sent to the old card first. Should the bank return it, you'll get an e-mail with a link to enter another account.",
                ),
            ),
            Exchange(
                ("Will this happen again next month?", "how do I make sure I'm not billed twice again?"),
                (
                    "It shouldn't. Check that Settings > Billing lists one payment method only, and remove the old card if it's still there.",
                    "Make sure that you don't have a second workspace with its own plan; the switcher at the top left shows all of them.",
                ),
            ),
            Exchange(
                ("I need something in writing for our accounting", "Can I get a credit note for it?"),
                (
                    "A credit note is created with every refund. You'll find it below the invoice, as a PDF.",
                    "Yes, the refund confirmation has a credit note attached that quotes the original invoice number.",
                ),
            ),
            Exchange(
                ("I found two invoices, both dated {when}", "ok there are indeed two invoices for {amount}"),
                (
                    "Then it's a true duplicate. Report the one with the higher number; it is approved without any further questions.",
                    "Thanks for checking. Use “Report a problem” next to the second invoice and pick “Duplicate charge”.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "It's been over a week and there's still no refund",
                    "you said five days, it's day nine and I still don't have my {amount}",
                ),
                (
                    "I'm sorry that it's taking so long. Please reply to the refund e-mail with the word TRACE: the payment team then asks the bank for the exact booking date.",
                    "That is longer than it should be. Ask your bank for a credit from “LARKBOARD” of {amount}; if they see none, the payment can be sent again to another account.",
                ),
            ),
            Exchange(
                ("The refund button is greyed out", "“Request refund” just gives me an error"),
                (
                    "It's greyed out while the charge is still pending. As soon as it's booked, usually the next day, the button works.",
                    "Apologies. In that case write to the billing team through the form at the bottom of the Billing page and attach the invoice; they can trigger it by hand.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Both charges are correct: one is for this month and one for the next.",
                (
                    "No. I pay monthly and both are from the same day.",
                    "that makes no sense, why would you bill next month in advance",
                ),
                "You're right, I'm sorry. Monthly plans are billed once per period, so a second charge of {amount} from the same day is a duplicate and will be refunded.",
            ),
            Mistake(
                "Refunds are only possible for annual plans, so the {amount} can't be returned.",
                (
                    "But it's a duplicate! I paid the same thing twice",
                    "I'm not returning a plan, you charged me twice for it",
                ),
                "My apologies, I mixed up two things. Duplicate charges are always refunded, whatever plan you're on. Please report the second invoice under Billing > Invoices.",
            ),
        ),
    ),
)

_INVOICE_DETAILS = Intent(
    domain="account_support",
    name="invoice_details",
    weight=0.9,
    script=Script(
        slots={
            "month": ("August", "September", "October", "last month", "Q3", "the whole year"),
            "field": (
                "VAT number",
                "company name",
                "billing address",
                "purchase order number",
                "cost centre",
                "tax ID",
            ),
            "department": (
                "our bookkeeper",
                "accounts payable",
                "our tax adviser",
                "the finance team",
                "my accountant",
            ),
        },
        contexts=(
            "{Department} keeps sending our invoices back.",
            "We <moved offices|changed our legal form|were renamed> <this summer|in September>.",
            "I'm doing my bookkeeping for {month}.",
            "I run a small agency, we pay by card.",
            "It's for my expense report.",
        ),
        openings=(
            "Where can I download the invoice for {month}?",
            "I need our {field} on the invoices. <How do I add it?|Where do I enter that?>",
            "<invoice copy {month}|add {field} to invoice|pdf receipts for {month}|wrong {field} on invoice>",
            "The invoice for {month} shows <an old|the wrong> {field}. Can it be reissued?",
            "Could you send the invoices to {department} directly <every month|from now on>?",
            "{Department} is asking for a proper invoice, not <just a receipt|the card slip>. Where do I get one for {month}?",
            "How do I change the {field} for <all future|our> invoices?",
            "I can't find any invoice for {month} in my account, <only a payment confirmation|nothing at all>.",
            "Please correct the {field} on our last <two|three> invoices, {department} won't accept them <like this|otherwise>.",
            "Is there a way to <get|download> all invoices for {month} in one go? <Clicking them one by one is tedious.|There are quite a few.>",
            "Can we pay by bank transfer <against an invoice |>instead of a card? {Department} would prefer that.",
            "What do I have to do so that the invoice is made out to the company and not to me?",
            "We need a {field} on each invoice by the end of the week or {department} will block the payment.",
            "Do your invoices show VAT separately? {Department} needs it for {month}.",
        ),
        details=(
            "We're based in Austria.",
            "PDF is fine.",
            "There are three workspaces.",
            "I'm a billing admin.",
            "It has to be on the document itself, a note won't do.",
        ),
        personal=(
            "Please put {full_name} as the contact on it.",
            "They should go to {email}.",
            "Our accountant is {colleague}, {email}.",
        ),
        answers=(
            "All invoices are under Settings > Billing > Invoices, newest first; click the arrow to get the PDF. For {month} you can also tick several and choose Download as ZIP. <They stay available for ten years.|Billing admins see them too.>",
            "You can add the {field} under Settings > Billing > Invoice details. It appears on every invoice from then on. For documents that already exist, open the invoice and choose “Reissue with current details”; the number stays the same and gets the suffix R.",
            "To have invoices sent straight to {department}, enter their address under Billing > Invoice details > Copy to. Up to three recipients are possible, and they <don't need an account|can't see your boards>.",
            "A receipt and an invoice are two documents here: the receipt only confirms the card payment, the invoice carries the {field} and the VAT line. Choose “Invoice (PDF)” instead of “Receipt” in the menu beside the payment for {month}.",
            "An invoice can be corrected within 90 days. Update the {field} first, then press Reissue on each invoice concerned. The old version is marked as replaced, <so {department} has a clean trail|which most accountants want to see>.",
            "Payment by bank transfer is available on annual Team plans. After switching under Billing > Payment method, you get an invoice with 14 days to pay and your {field} on it.",
        ),
        clarifications=(
            Clarification(
                "Is the {field} missing altogether, or is there an old value on the invoice?",
                ("it's missing", "There's an old one from before we moved", "it shows my private data instead"),
            ),
            Clarification(
                "Which country is the company registered in? The rules for VAT differ.",
                ("Austria", "the Netherlands", "UK, so no EU VAT", "Germany"),
            ),
        ),
        exchanges=(
            Exchange(
                (
                    "Does reissuing change the invoice number?",
                    "is the number still the same afterwards? {department} will ask",
                ),
                (
                    "The number stays and gets an R at the end, so both versions can be told apart.",
                    "No, only a suffix is added. The date of issue also remains the same.",
                ),
            ),
            Exchange(
                (
                    "Who besides me can <see|download> invoices?",
                    "can I give {department} access without access to the boards?",
                ),
                (
                    "Owners and billing admins. A billing admin sees nothing but the Billing pages and doesn't take up a paid seat.",
                    "Yes, invite them with the role “Billing only”. It's free and shows no boards at all.",
                ),
            ),
            Exchange(
                ("why is there no VAT on it?", "Our invoice says 0 % VAT, is that right?"),
                (
                    "With a valid VAT number of another EU country the reverse charge applies, so the tax is shown as zero with a note. That's correct.",
                    "That's the reverse-charge rule for businesses. If you have no VAT number, the local rate is added instead.",
                ),
            ),
            Exchange(
                ("Can the <purchase order|PO> number be different each time?", "we have a new PO number every quarter"),
                (
                    "Yes, set it under Invoice details before the renewal day. It is used for the following invoice and then kept until you change it.",
                    "You can schedule it: enter the number and the date from which it's valid.",
                ),
            ),
            Exchange(
                ("When does the next invoice come out?", "is the invoice created before or after the payment?"),
                (
                    "It's created on the renewal day, within an hour of the payment.",
                    "With a card the invoice follows the payment by a few minutes. With bank transfer it comes first.",
                ),
            ),
            Exchange(
                (
                    "Could you translate the invoice, {department} needs it in <German|French|Spanish>",
                    "are the invoices available in other languages?",
                ),
                (
                    "Invoices come in English, German, French and Spanish. The language is set under Invoice details, independently of the app's language.",
                    "Yes. Change the document language and press Reissue, then the PDF is in that language.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "I saved it and the PDF still shows the old {field}",
                    "Reissued it twice, same wrong {field} every time",
                ),
                (
                    "Sorry. The PDF is cached for a few minutes; download it again through the arrow rather than from the e-mail. If the {field} is still wrong, it may be set at the level of the organisation, which overrides the workspace.",
                    "Then the change probably wasn't saved for this workspace. Check the name at the top of the Invoice details page; with several workspaces each has its own.",
                ),
            ),
            Exchange(
                ("The Invoices page is empty for me", "I don't see any “Reissue” anywhere"),
                (
                    "You seem to have the role Member. Ask an owner to make you a billing admin, then the page fills up.",
                    "I apologise, Reissue is hidden for invoices older than 90 days. The billing team can still correct those by hand.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Invoices can't be changed once they've been issued. You would have to wait for the next one.",
                (
                    "Your own help page says I can reissue it within 90 days?",
                    "I've done it before, there was a reissue button",
                ),
                "You're right, I apologise. Within 90 days an invoice can be reissued with the current {field}: open it and choose “Reissue with current details”.",
            ),
        ),
    ),
)

_PASSWORD_RESET = Intent(
    domain="account_support",
    name="password_reset",
    weight=1.9,
    weekend=0.9,
    script=Script(
        slots={
            "symptom": (
                "the reset e-mail never arrives",
                "it says the link has expired",
                "it tells me the password is wrong",
                "my account is locked after too many attempts",
                "the code from the authenticator is rejected",
                "it keeps sending me back to the login page",
            ),
            "device": ("my laptop", "a new phone", "my work computer", "my tablet", "the desktop app"),
            "mailbox": (
                "my old work address",
                "an address I can't open any more",
                "my university address",
                "a mailbox of my former company",
            ),
        },
        contexts=(
            "I got a new phone <last weekend|yesterday>.",
            "I haven't used Larkboard for <half a year|a few months>.",
            "I have a client call in <an hour|twenty minutes> and need my boards.",
            "Signing in worked fine until <this morning|yesterday>.",
            "I'm trying to sign in on {device}.",
            "My browser lost all its saved passwords after an update.",
        ),
        openings=(
            "I forgot my password and {symptom}.",
            "<How do I|How can I> reset my password <when|if> {symptom}?",
            "<password reset not working|locked out of account|can't log in on {device}|reset link expired>",
            "I can't <log in|sign in> to my account: {symptom}. <Help!|What now?>",
            "I'm locked out. {Symptom}, and I've tried <three|four|at least five> times.",
            "Please unlock my account, {symptom}.",
            "I changed phones and the two-factor codes don't work any more. How do I get <in|back into my account>?",
            "My account is tied to {mailbox}. How can I change my password without it?",
            "Every time I try to reset my password on {device}, {symptom}",
            "I need to get into my workspace <today|right now> but {symptom}. <What can I do?|Any ideas?>",
            "What do I do if I've lost both my password and my recovery codes?",
            "Someone seems to have tried to log in as me and now {symptom}. How do I secure the account?",
            "Why does it say 'unknown user' on {device} although I've had an account for <years|ages>?",
            "Where do I change my password <in the app|in the settings>? I only find the e-mail field.",
            "The login loop is back: I type the right password on {device} and land on the login page again.",
        ),
        details=(
            "Spam folder is empty, I checked.",
            "I've already restarted the browser.",
            "It's the same on my phone.",
            "I don't use single sign-on.",
            "I'm sure about the address.",
        ),
        personal=(
            "My login is {email}.",
            "The account belongs to {full_name}, {email}.",
            "You can text me the code on {phone}.",
            "This is {full_name}, user name {email}.",
        ),
        answers=(
            "Let's get you back in. Go to the login page, choose “Forgot password” and enter the address you signed up with. The link is valid for 30 minutes and only the newest one works, so <request it once and wait a couple of minutes|don't click an older mail>. Check the spam folder for mail from “Larkboard Accounts”.",
            "If the reset mail doesn't arrive, one of three things is usual: the account uses another address, it was created with single sign-on and has no password of its own, or your mail server holds the message back. Try “Find my account” on the login page; it shows a masked form of the address in use.",
            "After five wrong attempts an account is locked for 15 minutes. Wait that long without trying again, <because each attempt starts the clock anew|then reset the password in a private window>. When you're in, look at Settings > Security > Sessions and sign out everything you don't recognise.",
            "A link that's called expired right away has often been opened already by a mail scanner. Copy the link's address and paste it into the browser instead of clicking it, or request a six-digit code: on the reset page choose “Send a code instead”.",
            "Without your authenticator you can use one of the ten recovery codes you got when you turned on two-factor login. If you don't have those either, choose “I can't use any of these” below the code field. A person then checks your identity, <which takes about one working day|usually by the next working day>.",
            "A login loop on {device} is nearly always a blocked cookie. Allow cookies for the site, remove the ones stored so far, and sign in again. If that helps, add an exception in your tracking protection, otherwise it comes back.",
        ),
        clarifications=(
            Clarification(
                "Do you normally type a password, or do you sign in through your company's login?",
                ("a password", "I type it, no company login", "hm, I think at first it was via the company"),
            ),
            Clarification(
                "What exactly does the page say after you press Continue?",
                ("'We couldn't sign you in'", "nothing, the field just goes empty", "It says too many attempts"),
            ),
        ),
        exchanges=(
            Exchange(
                ("How long is the reset link valid?", "does the link run out?"),
                (
                    "Thirty minutes, and it can be used once. A new request makes older links invalid.",
                    "It works for half an hour. If you request several, only the last one counts.",
                ),
            ),
            Exchange(
                (
                    "ok the mail came. What <rules are there for|does> the new password <need|have to have>?",
                    "it rejects my new password as too weak",
                ),
                (
                    "At least twelve characters, and none of the last five passwords. A few random words in a row are fine.",
                    "Length counts more than symbols: twelve characters or more and not found in a known leak.",
                ),
            ),
            Exchange(
                (
                    "Can I change the e-mail address of the account as well?",
                    "I also want to switch to another mail address",
                ),
                (
                    "Yes, under Settings > Profile once you're in. Both addresses get a confirmation, and the old one stays valid until you click it.",
                    "You can, as soon as you're signed in. Without access to the old mailbox, support has to verify you first.",
                ),
            ),
            Exchange(
                ("Will it sign me out <everywhere|on my other devices>?", "does a reset log out my phone too?"),
                (
                    "Yes, a new password ends all sessions, so you'll sign in again on each device.",
                    "It does. Only API tokens remain valid; revoke those under Security if you suspect misuse.",
                ),
            ),
            Exchange(
                ("How do I get new recovery codes?", "where are the recovery codes, I never saw any"),
                (
                    "Settings > Security > Recovery codes > Generate. The old ones stop working at that moment, so print or store the new list.",
                    "They're shown once, when two-factor login is turned on. You can create a fresh set in the security settings.",
                ),
            ),
            Exchange(
                ("That did it, I'm in again", "worked now, I had the wrong address all along"),
                (
                    "Great. While you're there, have a look at Settings > Security and make sure the recovery address is up to date.",
                    "Good to hear. It's worth storing the new password in a password manager straight away.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                (
                    "Still no e-mail",
                    "I've requested it four times now and nothing comes",
                    "no mail, not in spam either",
                ),
                (
                    "I'm sorry. Then the address is probably not the one on file. Use “Find my account”, or ask an admin of your workspace: the member list shows the address that you're registered with.",
                    "That points to your mail provider. Ask it to allow mail from accounts.larkboard.example, or choose “Send a code instead”, which goes out through another server.",
                ),
            ),
            Exchange(
                ("Same error again, link expired", "it STILL says the link has expired, 2 minutes after I got it"),
                (
                    "Apologies for the run-around. Please use the code option this time: six digits that you type in, so no scanner can use them up.",
                    "Sorry. Check that the clock of your device is right; a clock that is off by more than a few minutes makes every link look expired.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "You can see your current password under Settings > Profile once you click on “Show”.",
                (
                    "I can't get into the settings, I'm locked out. That's the whole point",
                    "how should I open the settings without being logged in?",
                ),
                "Of course, my mistake. Start on the login page with “Forgot password”; no sign-in is needed for that. And a stored password is never shown, only replaced.",
            ),
            Mistake(
                "The reset link is valid for 24 hours, so you can take your time.",
                ("It told me it had expired after 40 minutes", "no, the mail itself says 30 minutes"),
                "You're right, it's 30 minutes, I apologise. Please request a new one and use it directly.",
            ),
        ),
    ),
    translations={
        "german": Script(
            slots={
                "problem": (
                    "die E-Mail zum Zurücksetzen kommt nicht an",
                    "der Link ist angeblich abgelaufen",
                    "mein Konto ist nach zu vielen Versuchen gesperrt",
                    "der Code aus der App wird nicht angenommen",
                    "ich lande immer wieder auf der Anmeldeseite",
                ),
                "geraet": ("meinem Laptop", "dem neuen Handy", "dem Arbeitsrechner", "dem Tablet"),
            },
            contexts=(
                "Ich habe seit gestern ein neues Handy.",
                "Bis heute früh ging alles.",
                "Ich brauche die Unterlagen in einer Stunde.",
            ),
            openings=(
                "Ich habe mein Passwort vergessen und <leider|jetzt> habe ich folgendes Problem: {problem}.",
                "Wie setze ich mein Passwort zurück? Auf {geraet} geht es nicht, {problem}.",
                "<Passwort zurücksetzen geht nicht|Konto gesperrt|Anmeldung auf {geraet} unmöglich>",
                "Ich komme nicht mehr in mein Konto, {problem}. Was kann ich tun?",
                "Bitte entsperren Sie mein Konto, {problem}.",
                "Seit dem Handywechsel funktionieren die Codes für die Anmeldung in zwei Schritten nicht mehr. Wie komme ich wieder rein?",
                "Wo kann ich mein Passwort ändern? Ich finde auf {geraet} nur das Feld für die E-Mail-Adresse.",
                "Jemand hat offenbar versucht, sich mit meinem Konto anzumelden. Wie ändere ich sofort mein Passwort?",
            ),
            details=(
                "Im Spam-Ordner ist auch nichts.",
                "Den Browser habe ich schon neu gestartet.",
                "Auf dem Handy ist es genauso.",
            ),
            personal=("Mein Benutzername ist {email}.", "Das Konto gehört {full_name}.", "Meine Nummer ist {phone}."),
            answers=(
                "Wählen Sie auf der Anmeldeseite „Passwort vergessen“ und geben Sie die Adresse ein, mit der Sie sich registriert haben. Der Link gilt 30 Minuten, und nur der neueste funktioniert.",
                "Nach fünf falschen Versuchen ist ein Konto 15 Minuten gesperrt. Warten Sie so lange, ohne es erneut zu probieren, und setzen Sie das Passwort dann in einem privaten Fenster zurück.",
                "Ohne die App können Sie einen Ihrer Wiederherstellungscodes benutzen. Haben Sie keinen mehr, wählen Sie unter dem Eingabefeld „Nichts davon möglich“; dann prüft ein Mensch Ihre Angaben, meist bis zum nächsten Werktag.",
            ),
            exchanges=(
                Exchange(
                    ("Wie lange ist der Link gültig?", "Läuft der Link irgendwann ab?"),
                    ("Dreißig Minuten, und er lässt sich nur einmal verwenden.",),
                ),
                Exchange(
                    ("Werde ich dann überall abgemeldet?", "Muss ich mich danach auf allen Geräten neu anmelden?"),
                    ("Ja, ein neues Passwort beendet alle Sitzungen. Sie melden sich auf jedem Gerät einmal neu an.",),
                ),
                Exchange(
                    ("Super, jetzt hat es geklappt.", "Jetzt bin ich drin, es war die falsche Adresse."),
                    (
                        "Sehr schön. Prüfen Sie am besten gleich unter Sicherheit, ob Ihre Wiederherstellungsadresse noch stimmt.",
                    ),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Es kommt immer noch keine E-Mail!", "Ich habe es jetzt viermal versucht, nichts."),
                    (
                        "Das tut mir leid. Vermutlich ist eine andere Adresse hinterlegt. Fragen Sie einen Administrator Ihres Arbeitsbereichs, in der Mitgliederliste steht sie.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            slots={
                "problema": (
                    "no me llega el correo para restablecerla",
                    "me dice que el enlace ha caducado",
                    "la cuenta está bloqueada por demasiados intentos",
                    "no acepta el código del autenticador",
                    "vuelvo una y otra vez a la página de inicio",
                ),
                "aparato": ("el portátil", "el móvil nuevo", "el ordenador del trabajo", "la tableta"),
            },
            contexts=(
                "Ayer cambié de móvil.",
                "Hasta esta mañana funcionaba sin problemas.",
                "Tengo una reunión dentro de una hora.",
            ),
            openings=(
                "Olvidé mi contraseña y {problema}.",
                "¿Cómo restablezco la contraseña si {problema}?",
                "<no puedo iniciar sesión|cuenta bloqueada|restablecer contraseña en {aparato}>",
                "No consigo entrar en mi cuenta desde {aparato}: {problema}. ¿Qué hago?",
                "Por favor, desbloqueen mi cuenta, {problema}.",
                "Cambié de teléfono y ya no funcionan los códigos de verificación en dos pasos. ¿Cómo entro?",
                "¿Dónde se cambia la contraseña? En {aparato} solo veo el campo del correo.",
                "Creo que alguien ha intentado entrar en mi cuenta, quiero cambiar la contraseña cuanto antes.",
            ),
            details=("Ya miré en la carpeta de spam.", "He reiniciado el navegador.", "En el móvil pasa lo mismo."),
            personal=("Mi usuario es {email}.", "La cuenta es de {full_name}.", "Pueden llamarme al {phone}."),
            answers=(
                "En la página de inicio de sesión elige «Olvidé mi contraseña» e introduce el correo con el que te registraste. El enlace vale 30 minutos y solo funciona el más reciente.",
                "Después de cinco intentos fallidos la cuenta se bloquea 15 minutos. Espera ese tiempo sin volver a probar y después restablece la contraseña en una ventana privada.",
                "Sin el autenticador puedes usar uno de tus códigos de recuperación. Si no los tienes, pulsa «No puedo usar ninguna opción»; una persona comprobará tu identidad, normalmente en un día laborable.",
            ),
            exchanges=(
                Exchange(
                    ("¿Cuánto tiempo vale el enlace?", "¿Caduca el enlace?"),
                    ("Treinta minutos, y solo se puede usar una vez.",),
                ),
                Exchange(
                    ("¿Se cierra la sesión en todos los dispositivos?", "¿Tendré que volver a entrar en todas partes?"),
                    ("Sí, al cambiar la contraseña se cierran todas las sesiones.",),
                ),
                Exchange(
                    ("Perfecto, ya pude entrar.", "Ya está, era otra dirección de correo."),
                    ("Me alegro. Aprovecha para comprobar en Seguridad que tu correo de recuperación está al día.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Sigue sin llegar nada.", "Lo he pedido cuatro veces y no llega ningún correo."),
                    (
                        "Lo siento. Es probable que la cuenta tenga otra dirección. Un administrador de tu espacio puede verla en la lista de miembros.",
                    ),
                ),
            ),
        ),
    },
)

_TEAM_SEATS = Intent(
    domain="account_support",
    name="team_seats",
    weight=0.9,
    weekend=0.5,
    script=Script(
        slots={
            "role": ("guest", "viewer", "admin", "member", "billing admin", "owner"),
            "number": ("two", "three", "five", "eight", "a dozen"),
            "people": (
                "freelancers",
                "new colleagues",
                "interns",
                "people from a partner company",
                "clients",
                "contractors",
            ),
            "board": (
                "the roadmap board",
                "one board only",
                "the marketing boards",
                "a client board",
                "everything except HR",
            ),
        },
        contexts=(
            "We're {number} people on a Team plan.",
            "I've just become admin of our workspace.",
            "Our project lead <left|has left the company> <last week|on Friday>.",
            "{Number} {people} start <on Monday|next week>.",
            "We have two departments in one workspace.",
        ),
        openings=(
            "How do I <invite|add> {number} {people} to our workspace?",
            "Can I give someone access to {board}? <They shouldn't see the rest.|Nothing else.>",
            "<add {role} to workspace|seat limit reached|change role to {role}|remove member, reassign cards>",
            "I need to make a colleague {role}. Where <is that setting|do I do that>?",
            "What's the difference between a {role} and a member? We have {number} {people} to add.",
            "It says 'no seats left' although {number} people have left. <How do I free their seats?|Why?>",
            "Do {people} count as paid seats if they only <comment|look at> {board}?",
            "How do I remove someone from the workspace without losing <the cards assigned to them|their cards>?",
            "The owner of our workspace has left the company. How can we transfer ownership?",
            "<Invitation mails|The invites> to {number} {people} never arrived. Can I send them a link <instead|myself>?",
            "Please explain the permission levels, I want {people} to edit {board} but not delete anything.",
            "Can a person be {role} in one team and viewer in another?",
            "I want to restrict who can see {board}. At the moment all {people} can.",
            "We need {number} more seats from <next month|Monday>, what does that cost <and when is it billed|us>?",
        ),
        details=(
            "We use single sign-on.",
            "They all have addresses of another company.",
            "I'm an owner.",
            "It's urgent, they start tomorrow.",
            "I don't want to pay for people who only read.",
        ),
        personal=(
            "The new admin is {colleague}, {email}.",
            "Please invite {email} as {role}.",
            "I'm {full_name}, I manage the workspace.",
            "My colleague {colleague} needs it first.",
        ),
        answers=(
            "Open Settings > Members > Invite and paste the addresses, one per line. Choose the role {role} or whatever fits, and pick the boards if they shouldn't see everything. <Seats are billed from the day the invitation is accepted.|Unaccepted invitations cost nothing.>",
            "For access to {board}, invite them as guests: a guest sees only the boards you share and can't open the member list. Viewers are free, guests who edit count as a seat. You set it in the Share dialog of the board.",
            "The roles in short:\n\n- Owner: everything, including billing and deletion\n- Admin: members and settings\n- Member: all open boards\n- Guest: shared boards only\n- Viewer: read and comment, free\n\n<For {people} guest is usually right.|You can change a role at any time.>",
            "Seats of people who have left stay taken until they're removed. Go to Settings > Members, filter by “Inactive”, and choose Deactivate. Their cards stay and are listed under “Unassigned”, from where you can hand them over in one step.",
            "When an owner has gone, any admin can start a transfer under Settings > Members > Request ownership. The former owner has seven days to object; after that the oldest admin becomes owner. <Support can shorten it if you prove that you own the mail domain.|Billing continues meanwhile.>",
            "If invitations don't arrive, create a link under Members > Invite > Copy link. It's valid for three days and you can limit it to a mail domain. The role {role} has to be set before you copy it.",
        ),
        clarifications=(
            Clarification(
                "Should they be able to edit cards, or only read and comment?",
                ("edit", "only read, maybe comment", "Edit, but not delete"),
            ),
            Clarification(
                "How many seats does your plan include at the moment?",
                ("ten I think", "no idea, where do I see that?", "15, all taken"),
            ),
        ),
        exchanges=(
            Exchange(
                ("What does another seat cost <per month|us>?", "and the price per additional person?"),
                (
                    "A seat is $9 a month on a Team plan, less on an annual one. The rest of the current period is billed pro rata.",
                    "You see the exact amount before you confirm. It's charged for the remaining days now and in full from the next renewal.",
                ),
            ),
            Exchange(
                ("Can they invite others themselves?", "how do I prevent {people} from inviting more people"),
                (
                    "Only admins can invite by default. Under Settings > Permissions you may allow it for members too.",
                    "Guests and viewers never can. For members there's a switch under Permissions, which is off at first.",
                ),
            ),
            Exchange(
                ("What happens to the comments of someone I remove?", "do removed people's comments disappear"),
                (
                    "They stay, with the name greyed out. Only the login is gone.",
                    "All comments and history remain; assigned cards move to “Unassigned”.",
                ),
            ),
            Exchange(
                ("Is there a log of who changed what?", "can I see who gave whom access?"),
                (
                    "Yes, Settings > Audit log lists role changes and invitations for the last 90 days, on Team plans.",
                    "The audit log has that. You can filter it by person and export it as CSV.",
                ),
            ),
            Exchange(
                ("Can I do it in bulk, from a list?", "is there a csv import for members"),
                (
                    "You can upload a CSV with address, role and team under Members > Invite > From file, up to 200 lines.",
                    "Yes, from a CSV file. There's a template on the same page, and a preview before anything is sent.",
                ),
            ),
            Exchange(
                ("How do I set up groups so I don't have to share each board by hand?", "do you have teams or groups"),
                (
                    "Create a team under Settings > Teams and share boards with the team. Whoever joins it gets them all at once.",
                    "Teams do that. A person can be in several, and the highest permission wins.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("I did that and they see ALL boards now", "wrong, the guest can open every board"),
                (
                    "Sorry. Then they were invited as members. Change the role to Guest in the member list; the shared boards are kept and all others vanish from their view.",
                    "That happens when the board is open to the whole workspace. Set its visibility to “Private to invited people” first, then share it.",
                ),
            ),
            Exchange(
                ("It still says no seats left", "I deactivated two people and can't invite anyone, same message"),
                (
                    "Pending invitations hold a seat as well. Withdraw the old ones under Members > Pending, then the seats are free.",
                    "I'm sorry. On annual plans a freed seat is released after the page has been reloaded by an owner; if that doesn't help, sign out and in once.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "Guests are always free, so you can invite as many as you like.",
                ("On our invoice guests who edit are counted", "Hm, we were billed for guests last month"),
                "Thank you for correcting me. Guests who edit count as a seat; only viewers are free. I'm sorry for the confusion.",
            ),
        ),
    ),
)

_PASSKEY_SIGN_IN = Intent(
    domain="account_support",
    name="passkey_sign_in",
    weight=0.0,
    script=Script(
        slots={
            "device": (
                "my iPhone",
                "my Android phone",
                "a Windows laptop",
                "my MacBook",
                "a Linux machine",
                "my work laptop",
                "an old tablet",
            ),
            "place": ("the new banner", "the announcement mail", "the pop-up this morning", "the release notes of 5.4"),
            "fault": (
                "it says 'no passkey available'",
                "the QR code times out",
                "the fingerprint prompt never shows up",
                "it asks for a security key that I don't have",
                "it fails with 'origin mismatch'",
            ),
            "browser": ("Firefox", "Chrome", "Safari", "Edge"),
        },
        contexts=(
            "{Place} tells me to <set up|create> a passkey.",
            "Since the update I'm asked for a passkey every time I sign in.",
            "I use Larkboard on {device} and on a shared computer.",
            "I've never used passkeys <before|anywhere>.",
            "Our admin has made passkeys mandatory for everyone.",
        ),
        openings=(
            "How do I set up <a passkey|the new passkey login> on {device}?",
            "What is a passkey and <why do I need one now|do I have to use one>? I saw it in {place}.",
            "<passkey setup {device}|passkey not working in {browser}|add second passkey|turn off passkey prompt>",
            "I created a passkey but {fault}.",
            "Passkey sign-in doesn't work in {browser}, {fault}.",
            "Can I use the same passkey on {device} and on my <other|second> computer?",
            "Please tell me how to turn off the passkey prompt, it comes up <at every login|all the time>.",
            "What happens if I lose {device}? My passkey is only stored there.",
            "I want to keep <using|> my password instead of the passkey from {place}. Is that possible?",
            "How do I <register|add> a passkey when {fault}?",
            "We have shared computers in the workshop, how are passkeys supposed to work there?",
            "Is it safe to store the Larkboard passkey in {browser}'s password manager?",
            "Tried to add a passkey on {device} three times now, {fault} each time. What am I doing wrong?",
            "Do passkeys replace two-factor codes? {Place} is not clear about that.",
            "As an admin, how can I see who in my workspace has already got a passkey?",
        ),
        details=(
            "The browser is up to date.",
            "Bluetooth is on.",
            "My colleague had no problem with it.",
            "I use {browser}.",
            "I'm not very technical.",
        ),
        personal=(
            "My login is {email}.",
            "My colleague {colleague} has the same problem.",
            "I'm {full_name}, admin of the workspace.",
        ),
        answers=(
            "A passkey is a key pair that replaces your password: the private half stays on {device} and is unlocked by your fingerprint, face or PIN. To create one, go to Settings > Security > Passkeys > Add, and confirm on the device. <It takes less than a minute.|There's nothing to remember.>",
            "On {device} it goes like this:\n\n1. Sign in with your password one last time.\n2. Open Settings > Security > Passkeys and choose Add passkey.\n3. Confirm with fingerprint, face or the device PIN.\n4. Give it a name such as “work laptop”.\n\nFrom then on choose “Sign in with a passkey”.",
            "When {browser} can't find a passkey, it was usually created in another profile or another password manager. Choose “Use a passkey from another device” and scan the code with your phone; both need Bluetooth switched on, since the phone has to be nearby.",
            "Add a second passkey right away, on another device or on a hardware key, so that losing {device} doesn't lock you out. Passkeys kept in a synced password manager reach your other devices by themselves, those bound to one machine don't.",
            "You may keep your password for now: the passkey prompt can be dismissed with “Not now”, and under Security > Sign-in methods you set the password as preferred. If your admin has made passkeys mandatory, the password only works until the date shown in the banner.",
            "A passkey counts as two factors at once, the device and your fingerprint or PIN, so no code is asked for afterwards. Codes are still needed when you sign in with the password. Admins see the state of every member under Members > Sign-in methods.",
        ),
        clarifications=(
            Clarification(
                "Which browser are you using, and is the passkey stored on the same device?",
                ("{browser}, and it's stored on my phone", "{browser}, same device", "I don't know where it is stored"),
            ),
            Clarification(
                "Does {device} have a screen lock, that is a PIN, fingerprint or face unlock?",
                ("yes, fingerprint", "PIN", "no, it has no lock"),
            ),
        ),
        exchanges=(
            Exchange(
                ("Does it work <offline|on a plane>?", "can I sign in with it on someone else's computer?"),
                (
                    "On another computer choose “Use a passkey from another device” and scan the QR code with your phone. Nothing is stored on that computer.",
                    "Signing in needs a connection to us, but the fingerprint itself is checked on the device only.",
                ),
            ),
            Exchange(
                ("What if someone steals my phone?", "is it less secure if my phone gets stolen"),
                (
                    "The passkey can't be used without your fingerprint or PIN. Remove it under Security > Passkeys from any other device.",
                    "A thief would also need your unlock. Delete that passkey as soon as you can, the others keep working.",
                ),
            ),
            Exchange(
                ("Does Larkboard get my fingerprint?", "do you store biometric data then?"),
                (
                    "No. The fingerprint never leaves your device; we only receive a signature made with the key.",
                    "Nothing biometric is sent to us. Your device checks it and answers our challenge with a signature.",
                ),
            ),
            Exchange(
                ("How many passkeys can I have?", "can I have more than one"),
                (
                    "Up to ten per account. Name them by device, then they're easy to clean up.",
                    "Yes, and two are recommended at least, for instance phone and laptop.",
                ),
            ),
            Exchange(
                ("When does the password stop working?", "until when do we have to switch?"),
                (
                    "There's no general date. Only workspaces whose admins require passkeys show one in the banner, at least 30 days ahead.",
                    "Passwords stay available unless your admin turns them off.",
                ),
            ),
            Exchange(
                ("And on the mobile app?", "does the phone app support it as well"),
                (
                    "Yes, from version 5.4 on. Sign out once and choose the passkey button on the start screen.",
                    "The app supports it from 5.4. It uses the same passkeys as the browser if they're in the same password manager.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Still {fault}", "I did all four steps and {fault}"),
                (
                    "Sorry about that. Please turn off browser extensions that manage passwords, then try again: two managers that answer the same prompt are the most frequent cause.",
                    "Then let's avoid this device: create the passkey on your phone and sign in on the computer by QR code. With Bluetooth on at both ends that is the most reliable way.",
                ),
            ),
            Exchange(
                ("I don't WANT a passkey. The prompt is back again", "it keeps nagging me after I clicked “Not now”"),
                (
                    "I understand. “Not now” lasts for a week; to stop it for good, set Security > Sign-in methods > Preferred to Password.",
                    "Apologies. If the prompt returns at once, your workspace requires it. Only an admin can lift that, under Settings > Security policy.",
                ),
            ),
        ),
        mistakes=(
            Mistake(
                "A passkey is a longer password. Think of a phrase of at least 20 characters and enter it under Settings > Security.",
                (
                    "I don't think that's right, my phone created it by itself without any text",
                    "isn't a passkey tied to the device? there's nothing to type",
                ),
                "You're right, I apologise. A passkey isn't typed at all: your device creates a key pair and unlocks it with fingerprint, face or PIN.",
            ),
        ),
    ),
)

INTENTS = (
    _CANCEL_SUBSCRIPTION,
    _DUPLICATE_CHARGE,
    _INVOICE_DETAILS,
    _PASSWORD_RESET,
    _TEAM_SEATS,
    _PASSKEY_SIGN_IN,
)

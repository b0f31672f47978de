"""Help with devices at home: the network, printers, phones, smart speakers and Bluetooth."""

from __future__ import annotations

from kura_dagster.sample.intents.intent import Clarification, Exchange, Intent, Mistake, Script

_WIFI_DROPS = Intent(
    domain="devices",
    name="wifi_drops",
    weight=1.3,
    weekend=1.4,
    script=Script(
        facts=(
            {
                "symptom": "the Wi-Fi drops every evening between seven and ten",
                "cause": "the neighbours' networks are busiest then and share your channel",
                "fix": "Set the 2.4 GHz band to channel 1, 6 or 11, whichever a scanner app shows as the emptiest, and move laptops and phones to 5 GHz.",
            },
            {
                "symptom": "the connection is gone whenever someone uses the microwave",
                "cause": "microwave ovens radiate in the same 2.4 GHz range as older Wi-Fi",
                "fix": "Connect the devices in that room to the 5 GHz network and put at least two metres between router and oven.",
            },
            {
                "symptom": "only the laptop loses the Wi-Fi, the phones are fine",
                "cause": "the laptop's wireless adapter goes to sleep to save power",
                "fix": "Switch off power saving for the adapter in the device manager and install the current driver from the laptop maker.",
            },
            {
                "symptom": "video calls freeze on the upper floor",
                "cause": "the signal has to get through a concrete ceiling, and the device hangs on to the weak signal for too long",
                "fix": "Put the router higher and in the open, or add a mesh unit halfway up the stairs, not in the room where it's already bad.",
            },
            {
                "symptom": "the Wi-Fi stays connected but shows “no internet” for a minute or two",
                "cause": "the radio is fine and the line behind the router is failing",
                "fix": "Open the router's event log at the next outage. If it says that the line lost sync, your provider has to measure it.",
            },
            {
                "symptom": "phones keep jumping between the router and the repeater",
                "cause": "both are about equally strong in that spot, so the phone changes its mind all the time",
                "fix": "Give both the same name and password, lower the repeater's transmit power and move it further away.",
            },
            {
                "symptom": "everything drops at three in the morning and sometimes at noon",
                "cause": "the router restarts by itself, usually for an update, from overheating or because of a tired power supply",
                "fix": "Compare the times with the uptime in the router's status page, free its vents and try another power supply with the same rating.",
            },
            {
                "symptom": "new devices don't get a connection while the old ones work",
                "cause": "the router has handed out all of its addresses",
                "fix": "Enlarge the DHCP range, for instance to .20 up to .250, and set the lease time to a day.",
            },
            {
                "symptom": "the smart plugs go offline and never come back by themselves",
                "cause": "they only know 2.4 GHz and the router steers them to the 5 GHz band under the shared name",
                "fix": "Make a separate 2.4 GHz network for them with WPA2, since many plugs can't do WPA3.",
            },
        ),
        slots={
            "home": (
                "a three-room flat",
                "an old house with thick walls",
                "a two-storey house",
                "a shared flat",
                "a small office",
            ),
            "device": ("laptop", "work laptop", "tablet", "television", "games console", "phone"),
            "line": ("fibre", "cable", "DSL", "a 5G router"),
            "age": ("two", "four", "six", "eight"),
        },
        contexts=(
            "We live in {home} and have {line}.",
            "The router is about {age} years old.",
            "I work from home, so this is getting urgent.",
            "I've <rebooted the router|switched everything off and on|reset the router> <twice|several times> already.",
            "It started <last week|after the update|when we moved the router|a few days ago>.",
        ),
        openings=(
            "Why is it that {symptom}?",
            "{Symptom}. <How do I fix that?|What can I do?|Any ideas?>",
            "wifi keeps <dropping|disconnecting> on my {device}",
            "<Unstable Wi-Fi|Wi-Fi dropouts|Wireless connection lost> in {home}, {line}",
            "Help me find out why {symptom}.",
            "I pay for {line} and still {symptom}. This is <driving me mad|ridiculous|so annoying>!",
            "Is it the router or the provider if {symptom}?",
            "Do I need a new router? Mine is {age} years old and {symptom}.",
            "We moved into {home} in the summer, and ever since then {symptom}. I've tried a different cable and a restart, and my {device} is no better than before. Where should I start looking?",
            "Tell me step by step how to make the Wi-Fi stable in {home}.",
            "Would a mesh system help in {home}<?| when {symptom}?>",
            "My {device} says connected, but nothing loads. {Symptom}.",
            "How can I check what's wrong when {symptom}?",
        ),
        details=(
            "With a cable it works perfectly.",
            "The speed itself is fine.",
            "My {device} is the one that matters most.",
            "I can get into the router's settings.",
            "I'd rather not buy anything.",
        ),
        personal=(
            "The contract is in the name of {full_name}.",
            "My flatmate {colleague} has the same trouble.",
            "My provider should have my number, {phone}.",
            "The router account is registered to {email}.",
        ),
        answers=(
            "If {symptom}, it's most likely because {cause}. {fix}",
            "That pattern is a good hint: {cause}. {fix} <Watch it for two days before you change anything else.|Change one thing at a time, otherwise you won't know what helped.>",
            "First find out whether it's the radio or the line. Connect a computer by cable and wait for the next dropout.\n\n- Cable works, Wi-Fi doesn't: radio\n- Neither works: line or provider\n\nFrom your description I'd guess that {cause}. {fix}",
            "A new router may not be needed. When {symptom}, usually {cause}. {fix}",
            "Here's the order I'd go in:\n\n1. {fix}\n2. Install the router's latest firmware.\n3. Only then think about new hardware.\n\nThe reason for the first step is that {cause}.",
            "In {home} I'd expect that {cause}. {fix} If your {device} is still affected afterwards, make it forget the network and connect again.",
        ),
        clarifications=(
            Clarification(
                "Does it happen on all devices, or only on the {device}?",
                (
                    "only on the {device}",
                    "on everything, even next to the router",
                    "I think on all of them, but I'm not sure",
                ),
            ),
            Clarification(
                "Is the internet gone by cable too when it happens?",
                ("no, the cable is fine", "haven't tried", "I don't have a cable long enough, sorry"),
            ),
        ),
        mistakes=(
            Mistake(
                "Switch to the 2.4 GHz band, it's faster than 5 GHz and less crowded.",
                ("Isn't it the other way round?", "I thought 2.4 was the slow and crowded one"),
                "You're right, I mixed them up, sorry: 5 GHz is faster and emptier, 2.4 GHz reaches further. In your case {cause}. {fix}",
            ),
        ),
        exchanges=(
            Exchange(
                ("How do I change the channel?", "where do i find the channel setting"),
                (
                    "Open the router's address in a browser (it's on the label), log in and look under Wireless or Wi-Fi. Turn off “automatic” and pick the channel there.",
                    "In the router's page or app, in the settings of the radio. Choose 1, 6 or 11 on 2.4 GHz; on 5 GHz automatic is usually fine.",
                ),
            ),
            Exchange(
                ("What's the difference between a repeater and mesh?", "repeater or mesh, which one for {home}?"),
                (
                    "A repeater simply passes the signal on and often halves the speed. Mesh units act as one network and hand devices over. For a single weak room a repeater will do.",
                    "Mesh for a whole floor or more, a repeater for one corner. If you can run a cable, a plain access point beats both.",
                ),
            ),
            Exchange(
                ("Is it safe to keep the default password?", "should I change the wifi password too"),
                (
                    "Keep the Wi-Fi password if it's long and random, but do change the one for the router's settings if it's something like admin.",
                    "Only if others know it. Then every device has to be connected again, so pick a quiet moment.",
                ),
            ),
            Exchange(
                ("How fast should {line} be over Wi-Fi?", "what speed is normal in the next room"),
                (
                    "Expect about half of the cable speed in the next room on 5 GHz. For video calls 5 Mbit/s in both directions is plenty.",
                    "That depends on walls and on the device. Test next to the router first; if it's slow there, it isn't the walls.",
                ),
            ),
            Exchange(
                ("That fixed it, no dropouts since. Thanks!", "stable for an hour now, great"),
                (
                    "Glad to hear it. Write down the settings you changed, a firmware update may reset them.",
                    "Good. If it comes back in a few weeks, check the channel first, the neighbours may have moved as well.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Still dropping, I did all of that", "no improvement whatsoever", "It just happened again"),
                (
                    "Sorry about that. Note the exact time of the next three dropouts and compare them with the router's event log; that separates the radio from the line for good.",
                    "That's a pity. Then try the {device} on a phone's hotspot for an hour. If it drops there too, the {device} is the problem and not the Wi-Fi.",
                ),
            ),
            Exchange(
                ("My router doesn't have that setting", "I can't find that menu anywhere"),
                (
                    "Sorry, the menus differ a lot. Look for “expert mode” or “advanced view”, which hides most of the wireless settings until it's switched on.",
                    "Rented routers are often locked down. Ask the provider to change it remotely, or hang your own access point behind it.",
                ),
            ),
        ),
    ),
    translations={
        "german": Script(
            facts=(
                {
                    "problem": "das WLAN bricht jeden Abend ab",
                    "ursache": "abends funken die Nachbarn auf demselben Kanal",
                    "abhilfe": "Stellen Sie im 2,4-GHz-Band den Kanal 1, 6 oder 11 ein und nutzen Sie für Laptop und Handy das 5-GHz-Band.",
                },
                {
                    "problem": "nur der Laptop verliert ständig die Verbindung",
                    "ursache": "der WLAN-Adapter schaltet sich zum Stromsparen ab",
                    "abhilfe": "Schalten Sie im Geräte-Manager die Energieverwaltung des Adapters aus und aktualisieren Sie den Treiber.",
                },
                {
                    "problem": "im Obergeschoss ruckelt jede Videokonferenz",
                    "ursache": "die Betondecke schluckt den größten Teil des Signals",
                    "abhilfe": "Stellen Sie den Router höher und frei auf oder setzen Sie einen Mesh-Verstärker auf halber Strecke ein.",
                },
                {
                    "problem": "das WLAN ist verbunden, aber es steht „kein Internet“ da",
                    "ursache": "nicht der Funk fällt aus, sondern die Leitung dahinter",
                    "abhilfe": "Sehen Sie beim nächsten Ausfall ins Ereignisprotokoll des Routers. Steht dort ein Verlust der Synchronisation, muss der Anbieter die Leitung messen.",
                },
            ),
            slots={
                "wohnung": ("einer Dreizimmerwohnung", "einem Altbau", "einem Reihenhaus", "einer WG"),
                "anschluss": ("Glasfaser", "Kabelinternet", "DSL"),
            },
            contexts=(
                "Ich wohne in {wohnung} und habe {anschluss}.",
                "Den Router habe ich schon mehrmals neu gestartet.",
                "Ich arbeite von zu Hause, es eilt also.",
            ),
            openings=(
                "Woran kann es liegen, wenn ich {anschluss} habe und trotzdem Probleme auftreten? Genauer: {problem}.",
                "{Problem}. <Was kann ich tun?|Wie behebe ich das?|Hat jemand eine Idee?>",
                "<WLAN bricht ab|instabiles WLAN|WLAN-Abbrüche> in {wohnung}",
                "Seit <letzter Woche|dem Umzug|dem Update> habe ich ein Problem: {problem}.",
                "Liegt es am Router oder am Anbieter? {Problem}.",
                "Brauche ich einen neuen Router? {Problem}.",
                "Bitte helfen Sie mir, das WLAN in {wohnung} stabil zu bekommen.",
                "Ich bezahle für {anschluss} und bin genervt, denn {problem}.",
            ),
            details=(
                "Per Kabel läuft alles.",
                "In die Einstellungen des Routers komme ich.",
                "Kaufen möchte ich möglichst nichts.",
            ),
            personal=(
                "Der Vertrag läuft auf {full_name}.",
                "Sie erreichen mich unter {phone}.",
                "Schreiben Sie mir gern an {email}.",
            ),
            answers=(
                "Wahrscheinlich ist die Ursache folgende: {ursache}. {abhilfe}",
                "Prüfen Sie zuerst, ob beim nächsten Ausfall auch die Verbindung per Kabel weg ist. Meine Vermutung: {ursache}. {abhilfe}",
                "Ein neuer Router ist selten nötig. Oft gilt: {ursache}. {abhilfe} Ändern Sie immer nur eine Sache auf einmal.",
            ),
            exchanges=(
                Exchange(
                    ("Wo stelle ich den Kanal um?", "Wo finde ich diese Einstellung?"),
                    (
                        "Rufen Sie im Browser die Adresse auf, die auf dem Aufkleber des Routers steht. Unter „WLAN“ oder „Funknetz“ schalten Sie die Automatik aus und wählen den Kanal.",
                    ),
                ),
                Exchange(
                    ("Lohnt sich ein Mesh-System?", "Repeater oder Mesh, was ist besser?"),
                    (
                        "Für ein einzelnes Zimmer genügt ein Repeater. Für mehrere Etagen ist Mesh besser, weil alle Geräte ein gemeinsames Netz bilden.",
                    ),
                ),
                Exchange(
                    ("Jetzt läuft es stabil, vielen Dank!", "Seit einer Stunde kein Abbruch mehr."),
                    ("Das freut mich. Notieren Sie sich die Einstellungen, ein Update kann sie zurücksetzen.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Es bricht immer noch ab.", "Das hat leider nichts gebracht."),
                    (
                        "Das tut mir leid. Notieren Sie die Uhrzeit der nächsten drei Ausfälle und vergleichen Sie sie mit dem Protokoll des Routers. Dann wissen Sie sicher, ob es der Funk oder die Leitung ist.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            facts=(
                {
                    "problema": "el wifi se corta todas las noches",
                    "causa": "a esas horas las redes de los vecinos ocupan el mismo canal",
                    "remedio": "Elige el canal 1, 6 u 11 en la banda de 2,4 GHz y conecta el portátil y el móvil a la de 5 GHz.",
                },
                {
                    "problema": "solo el portátil pierde la conexión",
                    "causa": "el adaptador inalámbrico se apaga para ahorrar energía",
                    "remedio": "Desactiva el ahorro de energía del adaptador en el administrador de dispositivos y actualiza el controlador.",
                },
                {
                    "problema": "las videollamadas se congelan en el piso de arriba",
                    "causa": "el techo de hormigón absorbe casi toda la señal",
                    "remedio": "Coloca el router más alto y despejado, o pon un equipo de malla a medio camino.",
                },
                {
                    "problema": "aparezco conectado, pero dice «sin internet»",
                    "causa": "la señal inalámbrica está bien y lo que falla es la línea",
                    "remedio": "Mira el registro del router en el próximo corte. Si pone que se perdió la sincronización, el operador tiene que revisar la línea.",
                },
            ),
            slots={
                "casa": (
                    "un piso de tres habitaciones",
                    "una casa antigua",
                    "una casa de dos plantas",
                    "un piso compartido",
                ),
                "linea": ("fibra", "cable", "ADSL"),
            },
            contexts=(
                "Vivo en {casa} y tengo {linea}.",
                "Ya he reiniciado el router varias veces.",
                "Trabajo desde casa y me corre prisa.",
            ),
            openings=(
                "¿Por qué será que {problema}?",
                "{Problema}. <¿Qué puedo hacer?|¿Cómo lo arreglo?|¿Alguna idea?>",
                "<wifi inestable|cortes de wifi|el wifi se desconecta> en {casa}",
                "Desde <la semana pasada|la mudanza|la última actualización> {problema}.",
                "¿Es culpa del router o del operador si {problema}?",
                "¿Necesito un router nuevo? {Problema}.",
                "Ayúdame a tener un wifi estable en {casa}, por favor.",
                "Pago por {linea} y aun así {problema}. Estoy harto.",
            ),
            details=(
                "Con cable todo va bien.",
                "Puedo entrar en la configuración del router.",
                "Prefiero no comprar nada.",
            ),
            personal=(
                "El contrato está a nombre de {full_name}.",
                "Mi teléfono es el {phone}.",
                "Puedes escribirme a {email}.",
            ),
            answers=(
                "Lo más probable es esto: {causa}. {remedio}",
                "Comprueba primero si en el próximo corte también falla la conexión por cable. Creo que {causa}. {remedio}",
                "Casi nunca hace falta un router nuevo. Suele pasar que {causa}. {remedio} Cambia solo una cosa cada vez.",
            ),
            exchanges=(
                Exchange(
                    ("¿Dónde cambio el canal?", "¿Dónde está esa opción?"),
                    (
                        "Abre en el navegador la dirección que aparece en la etiqueta del router. En el apartado «Wi-Fi» o «Inalámbrico», desactiva el modo automático y elige el canal.",
                    ),
                ),
                Exchange(
                    ("¿Merece la pena un sistema de malla?", "¿Repetidor o malla?"),
                    (
                        "Para una sola habitación basta un repetidor. Para varias plantas es mejor la malla, porque todo funciona como una única red.",
                    ),
                ),
                Exchange(
                    ("Ya va bien, muchas gracias.", "Llevo una hora sin cortes, perfecto."),
                    ("Me alegro. Apunta los cambios, porque una actualización puede borrarlos.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Se sigue cortando.", "No ha servido de nada."),
                    (
                        "Lo siento. Apunta la hora de los próximos tres cortes y compárala con el registro del router; así sabrás si falla la señal o la línea.",
                    ),
                ),
            ),
        ),
    },
)

_PRINTER_OFFLINE = Intent(
    domain="devices",
    name="printer_offline",
    weight=1.0,
    weekend=0.7,
    script=Script(
        facts=(
            {
                "symptom": "the printer shows as offline although it's switched on",
                "cause": "the router has given it a new address and the computer still uses the old one",
                "fix": "Print the network page at the printer, compare its IP address with the port in the printer's properties, and reserve that address in the router.",
            },
            {
                "symptom": "a job has been stuck in the queue for an hour and can't be deleted",
                "cause": "the print spooler is hanging on a damaged file",
                "fix": "Stop the Print Spooler service, empty the folder C:\\Windows\\System32\\spool\\PRINTERS and start the service again.",
            },
            {
                "symptom": "printing works from the phone but not from the laptop",
                "cause": "the laptop is on the guest network or in a VPN and can't see the printer",
                "fix": "Disconnect the VPN, join the same network as the printer and add the printer once more.",
            },
            {
                "symptom": "it says “paper jam” and there is no paper anywhere",
                "cause": "a scrap sits on the sensor, or the rear cover isn't closed completely",
                "fix": "Open the rear cover and the tray, look for a torn corner near the rollers with a torch, and press the cover shut until it clicks.",
            },
            {
                "symptom": "pages come out with white stripes",
                "cause": "a few nozzles have dried up",
                "fix": "Run the cleaning from the maintenance menu twice with ten minutes in between, then print a nozzle check.",
            },
            {
                "symptom": "the printer disappeared after a change of the Wi-Fi password",
                "cause": "it still tries the old password",
                "fix": "Run the wireless setup in the printer's own menu, or hold its Wi-Fi button and press WPS on the router within two minutes.",
            },
            {
                "symptom": "it only ever prints blank pages",
                "cause": "the protective strip is still on the new cartridge, or the wrong driver is in use",
                "fix": "Take out the cartridge, pull off the orange or yellow strip, and print a test page from the printer's own menu. If that one is fine, reinstall the driver.",
            },
            {
                "symptom": "the documents go to a second copy of the printer called “Copy 1”",
                "cause": "Windows added the printer again when it was plugged into another port",
                "fix": "Set the copy that works as the default printer, delete the other one and switch off “Let Windows manage my default printer”.",
            },
        ),
        slots={
            "printer": ("inkjet", "laser printer", "all-in-one", "label printer", "office printer"),
            "computer": ("the Windows laptop", "the MacBook", "the new PC", "the work laptop", "the Chromebook"),
            "thing": (
                "a return label",
                "boarding passes",
                "a signed contract",
                "a thesis",
                "school worksheets",
                "an invoice",
            ),
        },
        contexts=(
            "I need to print {thing} <today|within the hour|before five>.",
            "I'm printing from {computer} over Wi-Fi.",
            "The {printer} is three years old.",
            "Yesterday everything was fine.",
            "I changed the cartridges <last week|this morning>.",
        ),
        openings=(
            "{Symptom}. <What can I do?|How do I get it to print properly?|Please help.>",
            "Why does my {printer} do this: {symptom}?",
            "<printer offline|{printer} won't print|print queue stuck>, {computer}",
            "I hate printers. {Symptom}, and I need {thing}.",
            "How do I connect {computer} to the {printer} again?",
            "Get my {printer} back online, please. {Symptom}.",
            "How can I print {thing} when {symptom}?",
            "Is my {printer} broken if {symptom}?",
            "Error on the {printer}: {symptom}",
            "There's {computer} and an ordinary {printer} in the hallway, both on the same Wi-Fi. It used to work every time, but since this week {symptom}. I've already restarted both of them. What else is there?",
            "Should I reinstall the driver? {Symptom}.",
            "Show me how to clear the print queue on {computer}.",
            "{Thing}, due today, and {symptom}.",
        ),
        details=(
            "The display shows nothing unusual.",
            "There is enough ink and paper.",
            "I've turned it off and on.",
            "A USB cable is available.",
            "Scanning still works.",
        ),
        personal=(
            "The invoice for the printer is made out to {full_name}.",
            "You can send the manual to {email}.",
            "{colleague} from the office uses it too.",
            "If a technician has to come, my number is {phone}.",
        ),
        answers=(
            "When {symptom}, the reason is usually that {cause}. {fix}",
            "{fix} The background: {cause}.",
            "Try this before anything else:\n\n1. Switch the {printer} off for thirty seconds.\n2. {fix}\n3. Print a test page.\n\n<That helps in most cases, because {cause}.|It's most likely that {cause}.>",
            "It doesn't sound like a defect. More likely {cause}. {fix}",
            "If {thing} can't wait, connect the {printer} by USB for now. For a lasting repair: {fix}",
            "I'd look at one thing first, namely whether {cause}. {fix} <Then restart {computer}.|Afterwards send the job again, the old one won't recover.>",
        ),
        clarifications=(
            Clarification(
                "Is the {printer} connected by Wi-Fi, by network cable or by USB?",
                ("Wi-Fi", "USB, directly", "by Wi-Fi I think, there's no cable"),
            ),
            Clarification(
                "Does it print a test page from its own menu?",
                ("yes, that works", "no, nothing happens", "how do I do that?"),
            ),
        ),
        mistakes=(
            Mistake(
                "The cartridges are empty. Buy new ones and it'll print again.",
                ("They're full, I changed them last week", "ink levels are all above 80%"),
                "Sorry, I jumped to conclusions. If {symptom}, rather {cause}. {fix}",
            ),
        ),
        exchanges=(
            Exchange(
                ("How do I give the printer a fixed address?", "what does reserving the IP mean"),
                (
                    "In the router's list of devices, open the printer and tick “always assign the same address”. Nothing has to be changed at the printer.",
                    "It means that the router remembers the printer and hands it the same address every time. You'll find it under DHCP or home network.",
                ),
            ),
            Exchange(
                ("Can I print from my phone as well?", "how do i print from the phone"),
                (
                    "Yes, if both are on the same Wi-Fi: open the document, choose Share or Print and pick the printer. No app is needed with most models from the last ten years.",
                    "Use the Print entry in the share menu. If the printer isn't listed, the phone is probably on the guest network.",
                ),
            ),
            Exchange(
                ("Where do I get the right driver?", "which driver do I need for {computer}"),
                (
                    "Only from the support page of the printer's maker; search for the exact model number on the label. Driver download portals are best avoided.",
                    "Often none at all: remove the printer, add it again and let the system choose. Get the maker's package only if functions are missing.",
                ),
            ),
            Exchange(
                ("Does cleaning the heads use a lot of ink?", "is third-party ink a problem?"),
                (
                    "A normal cleaning takes a little from every colour, a deep cleaning a good deal more. Don't run it more than three times in a row.",
                    "Third-party ink is mostly fine, but some firmware updates reject it. Printing one colour page a week does more for the nozzles than any brand.",
                ),
            ),
            Exchange(
                ("It prints again, thanks!", "yes!! the page just came out"),
                (
                    "Good. Check the queue for old jobs before you leave, otherwise you'll get everything twice.",
                    "Great. Should it happen again, start with the printer's address, that's the quickest check.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Still offline", "nope, {symptom}, same as before", "It won't print, I did exactly that"),
                (
                    "Sorry. Then remove the {printer} completely, restart both devices and add it by its IP address and not from the list.",
                    "Sorry to hear that. Try it by USB: if that works, it's the network; if not, it's the driver or the printer itself.",
                ),
            ),
            Exchange(
                ("{computer} looks different, there is no such menu", "Where is that supposed to be? I can't find it"),
                (
                    "Sorry, that differs between versions. Type “printers” into the search of the system settings, the entry leads to the same place.",
                    "My mistake for not being clearer. Open the system settings, then Printers, then click your {printer}; everything I mentioned is on that page.",
                ),
            ),
        ),
    ),
    translations={
        "german": Script(
            facts=(
                {
                    "problem": "der Drucker wird als offline angezeigt, obwohl er eingeschaltet ist",
                    "ursache": "der Router hat ihm eine neue Adresse gegeben, und der Rechner verwendet noch die alte",
                    "abhilfe": "Drucken Sie am Gerät die Netzwerkseite aus, vergleichen Sie die IP-Adresse mit dem Anschluss in den Druckereigenschaften und lassen Sie den Router diese Adresse fest vergeben.",
                },
                {
                    "problem": "ein Auftrag hängt seit einer Stunde in der Warteschlange",
                    "ursache": "die Druckwarteschlange kommt an einer beschädigten Datei nicht vorbei",
                    "abhilfe": "Beenden Sie den Dienst „Druckwarteschlange“, leeren Sie den Ordner C:\\Windows\\System32\\spool\\PRINTERS und starten Sie den Dienst neu.",
                },
                {
                    "problem": "der Drucker meldet einen Papierstau, es ist aber kein Papier zu sehen",
                    "ursache": "ein Schnipsel liegt auf dem Sensor, oder die hintere Klappe ist nicht ganz zu",
                    "abhilfe": "Öffnen Sie die hintere Klappe, leuchten Sie die Walzen mit einer Taschenlampe ab und drücken Sie die Klappe zu, bis sie einrastet.",
                },
                {
                    "problem": "alle Seiten haben weiße Streifen",
                    "ursache": "einige Düsen sind eingetrocknet",
                    "abhilfe": "Starten Sie im Wartungsmenü zweimal die Reinigung, mit zehn Minuten Pause dazwischen, und drucken Sie dann einen Düsentest.",
                },
            ),
            slots={
                "dokument": (
                    "ein Rücksendeetikett",
                    "einen Vertrag",
                    "eine Bewerbung",
                    "Arbeitsblätter",
                    "eine Rechnung",
                ),
                "rechner": ("Windows-Laptop", "Arbeitsrechner", "neuen PC", "MacBook"),
            },
            contexts=(
                "Ich muss heute noch {dokument} drucken.",
                "Ich drucke von meinem {rechner} über WLAN.",
                "Gestern ging noch alles.",
            ),
            openings=(
                "{Problem}. <Was nun?|Was kann ich tun?|Wie bekomme ich das wieder hin?>",
                "Ich wollte nur schnell {dokument} drucken, aber {problem}.",
                "<Drucker offline|Drucker druckt nicht|Warteschlange löschen>, {rechner}",
                "Wie verbinde ich den Drucker wieder mit meinem {rechner}?",
                "Muss ich den Treiber neu installieren? {Problem}.",
                "Bitte helfen Sie mir mit dem Drucker: {problem}.",
                "Ist der Drucker kaputt? {Problem}.",
                "Immer dasselbe mit diesem Gerät, {problem}. Dabei brauche ich bis heute Abend {dokument}.",
            ),
            details=("Tinte und Papier sind genug da.", "Ein USB-Kabel hätte ich auch.", "Scannen funktioniert noch."),
            personal=(
                "Gekauft hat ihn {full_name}.",
                "Die Anleitung bitte an {email}.",
                "Meine Nummer für Rückfragen ist {phone}.",
            ),
            answers=(
                "Meist steckt dahinter: {ursache}. {abhilfe}",
                "Nach einem Defekt klingt das nicht. Vermutlich ist es so: {ursache}. {abhilfe} Drucken Sie danach eine Testseite.",
                "Wenn es eilt, schließen Sie den Drucker vorerst per USB an. Auf Dauer hilft Folgendes: {abhilfe}",
            ),
            exchanges=(
                Exchange(
                    ("Woher bekomme ich den richtigen Treiber?", "Welchen Treiber brauche ich?"),
                    (
                        "Nur von der Seite des Herstellers, und zwar für die genaue Modellnummer auf dem Typenschild. Oft genügt es, den Drucker zu entfernen und neu hinzuzufügen.",
                    ),
                ),
                Exchange(
                    ("Kann ich auch vom Handy drucken?", "Geht das auch vom Handy aus?"),
                    (
                        "Ja, wenn beide im selben WLAN sind. Öffnen Sie das Dokument, tippen Sie auf „Teilen“ und dann auf „Drucken“.",
                    ),
                ),
                Exchange(
                    ("Er druckt wieder, danke!", "Jetzt kam die Seite heraus."),
                    ("Sehr gut. Löschen Sie noch alte Aufträge aus der Warteschlange, sonst kommt alles doppelt.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Geht immer noch nicht.", "Leider unverändert, {problem}."),
                    (
                        "Das tut mir leid. Entfernen Sie den Drucker ganz, starten Sie beide Geräte neu und fügen Sie ihn über seine IP-Adresse wieder hinzu.",
                    ),
                ),
            ),
        ),
        "spanish": Script(
            facts=(
                {
                    "problema": "la impresora aparece sin conexión aunque está encendida",
                    "causa": "el router le ha dado otra dirección y el ordenador sigue usando la antigua",
                    "remedio": "Imprime la página de red desde la impresora, compara su dirección IP con el puerto que figura en sus propiedades y reserva esa dirección en el router.",
                },
                {
                    "problema": "un trabajo lleva una hora atascado en la cola",
                    "causa": "la cola de impresión no puede con un archivo dañado",
                    "remedio": "Detén el servicio «Cola de impresión», vacía la carpeta C:\\Windows\\System32\\spool\\PRINTERS y vuelve a iniciarlo.",
                },
                {
                    "problema": "la impresora avisa de un atasco y no hay ningún papel",
                    "causa": "ha quedado un trocito sobre el sensor o la tapa trasera no está bien cerrada",
                    "remedio": "Abre la tapa trasera, revisa los rodillos con una linterna y ciérrala hasta que haga clic.",
                },
                {
                    "problema": "todas las páginas salen con rayas blancas",
                    "causa": "algunos inyectores están secos",
                    "remedio": "Haz dos limpiezas desde el menú de mantenimiento, con diez minutos de pausa, e imprime una prueba de inyectores.",
                },
            ),
            slots={
                "documento": (
                    "una etiqueta de devolución",
                    "un contrato",
                    "unas tarjetas de embarque",
                    "unos ejercicios",
                    "una factura",
                ),
                "equipo": ("el portátil", "el ordenador del trabajo", "el ordenador nuevo", "la tableta"),
            },
            contexts=(
                "Tengo que imprimir {documento} hoy mismo.",
                "Imprimo desde {equipo} por wifi.",
                "Ayer funcionaba todo.",
            ),
            openings=(
                "{Problema}. <¿Qué hago?|¿Cómo lo soluciono?|¿Me ayudas?>",
                "Solo quería imprimir {documento}, pero {problema}.",
                "<impresora sin conexión|la impresora no imprime|vaciar la cola de impresión>, {equipo}",
                "¿Cómo vuelvo a conectar {equipo} con la impresora?",
                "¿Tengo que reinstalar el controlador? {Problema}.",
                "Ayúdame con la impresora, por favor: {problema}.",
                "¿Está rota si {problema}?",
                "Siempre igual con este aparato: {problema}. Y necesito {documento} para esta tarde.",
            ),
            details=("Hay tinta y papel de sobra.", "También tengo un cable USB.", "El escáner sí funciona."),
            personal=("La compró {full_name}.", "Envíame el manual a {email}.", "Mi teléfono es el {phone}."),
            answers=(
                "Lo habitual en estos casos es lo siguiente: {causa}. {remedio}",
                "No parece una avería. Seguramente {causa}. {remedio} Después imprime una página de prueba.",
                "Si tienes prisa, conecta la impresora por USB de momento. Para arreglarlo del todo, haz lo siguiente. {remedio}",
            ),
            exchanges=(
                Exchange(
                    ("¿De dónde saco el controlador correcto?", "¿Qué controlador necesito?"),
                    (
                        "Solo de la página del fabricante, con el número de modelo exacto de la etiqueta. Muchas veces basta con quitar la impresora y volver a añadirla.",
                    ),
                ),
                Exchange(
                    ("¿Puedo imprimir también desde el móvil?", "¿Y desde el móvil?"),
                    (
                        "Sí, si ambos están en la misma red wifi. Abre el documento, toca «Compartir» y luego «Imprimir».",
                    ),
                ),
                Exchange(
                    ("¡Ya imprime, gracias!", "Acaba de salir la página."),
                    ("Estupendo. Borra los trabajos antiguos de la cola, o saldrá todo dos veces.",),
                ),
            ),
            setbacks=(
                Exchange(
                    ("Sigue sin funcionar.", "Nada, {problema}, igual que antes."),
                    (
                        "Lo siento. Elimina la impresora por completo, reinicia los dos aparatos y añádela por su dirección IP.",
                    ),
                ),
            ),
        ),
    },
)

_PHONE_BATTERY = Intent(
    domain="devices",
    name="phone_battery",
    weight=1.0,
    weekend=1.1,
    script=Script(
        facts=(
            {
                "symptom": "the battery is empty by three in the afternoon",
                "cause": "one or two apps keep running in the background",
                "fix": "Open Settings, then Battery, sort by app and restrict background activity for the two at the top that you don't need all day.",
            },
            {
                "symptom": "it drops from 30 percent to 5 within minutes",
                "cause": "the battery has aged and its gauge no longer fits",
                "fix": "Look up the battery health: below 80 percent a replacement is worth it. Charging once from empty to full makes the display more honest in the meantime.",
            },
            {
                "symptom": "it loses a quarter of the charge overnight without being touched",
                "cause": "something keeps the phone from sleeping, often mail sync or poor reception",
                "fix": "Put it in aeroplane mode for one night. If the loss is gone, set mail to fetch hourly and use Wi-Fi calling.",
            },
            {
                "symptom": "it drains much faster since the last system update",
                "cause": "the phone re-indexes photos and apps for two or three days after an update",
                "fix": "Leave it on the charger and on Wi-Fi overnight, then update all apps and restart. If it's no better after four days, look at the battery list.",
            },
            {
                "symptom": "it gets hot and drains in the car",
                "cause": "navigation, full brightness and a weak signal add up, and the sun does the rest",
                "fix": "Download the maps for offline use, turn the brightness down and mount the phone in front of an air vent.",
            },
            {
                "symptom": "it charges terribly slowly",
                "cause": "the cable, the charger or lint in the port limits the current",
                "fix": "Try another cable with a charger of at least 20 W, and clean the port with a wooden toothpick while the phone is off.",
            },
            {
                "symptom": "it switches itself off in the cold at 20 percent",
                "cause": "an old battery can't deliver enough current at low temperatures",
                "fix": "Keep it in an inside pocket and check the battery health. If it's low, a new battery cures it.",
            },
            {
                "symptom": "it stops charging at 80 percent",
                "cause": "the charge limit or adaptive charging is on, which protects the battery",
                "fix": "That's intended. For a long day, switch the limit off in the battery settings the evening before.",
            },
        ),
        slots={
            "handset": ("Android phone", "iPhone", "old work phone", "daughter's phone", "two-year-old phone"),
            "app": (
                "a messenger",
                "the map app",
                "a video app",
                "the weather widget",
                "a fitness tracker",
                "the camera",
            ),
            "hours": ("four", "five", "six", "eight"),
            "age": ("one year", "two years", "three years", "four years"),
        },
        contexts=(
            "My {handset} is {age} old.",
            "I use it about {hours} hours a day.",
            "The battery list names {app} at the top.",
            "I'm on the road all day and can't charge.",
            "I charge it every night.",
        ),
        openings=(
            "My {handset} has a battery problem: {symptom}. <What can I do?|Is that normal?|Why?>",
            "Why is it that {symptom}? It's just a {handset}, {age} old.",
            "<battery drain|phone battery dies fast|battery life>, {handset}",
            "How do I make the battery of my {handset} last <longer|a whole day>?",
            "{Symptom}, and I hardly use the thing!",
            "Which app is draining my {handset}? {Symptom}.",
            "Is it time for a new battery if {symptom} after {age}?",
            "Check what could be wrong with my {handset}, please. {Symptom}.",
            "Does {app} use that much power? {Symptom}.",
            "I bought my {handset} {age} ago and always got through the day. Now {symptom}, although I've deleted half of my apps and dimmed the screen. Do I have to replace it?",
            "Should I charge my {handset} to 100 percent every night, or is that bad for it?",
            "Give me five settings that save battery on my {handset}.",
            "Battery health at <76|79|81|83|85|88> percent, {symptom}",
        ),
        details=(
            "I only get about {hours} hours out of it.",
            "Low power mode doesn't change much.",
            "I don't want to lose my notifications.",
            "It's never been dropped.",
            "Repair would be an option.",
        ),
        personal=(
            "It's registered to {full_name}.",
            "The backup goes to {email}.",
            "The number of that phone is {phone}.",
            "{colleague} has the same model and doesn't have this.",
        ),
        answers=(
            "If {symptom}, the usual reason is that {cause}. {fix}",
            "Most likely {cause}. {fix}",
            "Start in the battery settings, since they show where the power went in the last 24 hours. What you describe fits this: {cause}. {fix} <If {app} is at the top of the list, restrict it first.|Give every change a full day before you judge it.>",
            "After {age} a battery has lost part of its capacity, so expect somewhat less. But when {symptom}, typically {cause}. {fix}",
            "Three things, in this order:\n\n1. {fix}\n2. Lower the brightness and let the screen turn off after 30 seconds.\n3. Take location access away from apps that don't need it.\n\nThe first one matters most, because {cause}.",
            "No need for a new phone yet. {Cause}, as far as I can tell from here. {fix}",
        ),
        clarifications=(
            Clarification(
                "What does the battery list in the settings show at the top?",
                ("{app}", "the screen, then {app}", "nothing special, everything is below 5 percent"),
            ),
            Clarification(
                "Is the battery health shown, and if so, what does it say?",
                ("82 percent", "I can't find it", "it says “good”"),
            ),
        ),
        mistakes=(
            Mistake(
                "Close all apps by swiping them away several times a day, that saves the most.",
                ("I read that this makes it worse", "doesn't restarting them cost more power?"),
                "You're right, sorry. Starting apps from scratch costs more than leaving them paused. More to the point: {cause}. {fix}",
            ),
            Mistake(
                "Let it run down to zero every time before charging, that keeps the battery young.",
                ("That was for old nickel batteries, wasn't it?", "are you sure? everyone says between 20 and 80"),
                "Correct, I apologise: deep discharges wear lithium batteries out. Between 20 and 80 percent is gentle. As for your problem, {cause}. {fix}",
            ),
        ),
        exchanges=(
            Exchange(
                ("Is fast charging bad for the battery?", "does wireless charging hurt it"),
                (
                    "Heat is what hurts. Fast charging is fine now and then; for the night use a slow charger and take the phone out of a thick case.",
                    "A little, because of the warmth. If the phone stays cool, neither fast nor wireless charging makes a noticeable difference over two years.",
                ),
            ),
            Exchange(
                ("What does a new battery cost?", "is replacing the battery worth it?"),
                (
                    "Usually between 50 and 100 in a repair shop, including labour. For a phone that still gets updates that's money well spent.",
                    "If the phone gets security updates for another year or two, yes. Back it up first, and ask whether it'll be watertight afterwards.",
                ),
            ),
            Exchange(
                ("Does dark mode save anything?", "what about 5G, should I turn it off"),
                (
                    "On OLED screens dark mode saves noticeably at high brightness, on LCD nothing at all.",
                    "5G costs more mainly where reception is poor. Setting it to automatic is a good compromise.",
                ),
            ),
            Exchange(
                ("Where do I see the battery health?", "how do i check the capacity"),
                (
                    "On iPhones under Settings, Battery, Battery Health. On Android it depends on the maker; look in Battery or in the device care page.",
                    "In the battery settings of most newer phones. If yours doesn't show it, a repair shop can read it out in a minute.",
                ),
            ),
            Exchange(
                ("Better already, 40 percent left in the evening", "That helped a lot, thank you"),
                (
                    "Good to hear. Look at the list again in a week, in case another app has moved to the top.",
                    "Very good. With a charge limit of 80 percent it'll stay like that for longer.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("No difference after two days", "still empty in {hours} hours"),
                (
                    "Sorry to hear it. Use it in safe mode for half a day: if it lasts then, an installed app is to blame; if not, it's the battery itself.",
                    "Then I'd have the battery measured. Software can't give you back what the cells have lost, I'm afraid.",
                ),
            ),
            Exchange(
                (
                    "I restricted {app} and now I don't get notifications any more",
                    "great, now my alarms and messages come late",
                ),
                (
                    "Sorry, that's the price of the restriction. Set that app to “optimised” and restrict one you don't need messages from.",
                    "I should have warned you. Allow background use for messengers and the clock again; the rest can stay restricted.",
                ),
            ),
        ),
    ),
)

_SMART_SPEAKER_ROUTINE = Intent(
    domain="devices",
    name="smart_speaker_routine",
    weight=0.8,
    weekend=1.5,
    script=Script(
        facts=(
            {
                "goal": "turn off all the lights when I say good night",
                "trigger": "the phrase “good night”",
                "steps": "add the action “All lights off” and, as a last step, set the volume to two",
                "catch": "lights that are switched off at the wall can't be reached",
            },
            {
                "goal": "wake us with slowly brightening lamps at half past six",
                "trigger": "a schedule, weekdays at 6:30",
                "steps": "add the bedroom lamp at 1 percent, then a wait of ten minutes, then 60 percent",
                "catch": "public holidays count as weekdays unless you pause the routine",
            },
            {
                "goal": "heat the bathroom only when someone is at home",
                "trigger": "arrival of any of your phones",
                "steps": "set the bathroom thermostat to 21 degrees and add a second routine for when the last phone leaves",
                "catch": "location access has to be set to “always” on every phone",
            },
            {
                "goal": "read out the weather and my calendar every morning",
                "trigger": "a schedule or the phrase “good morning”",
                "steps": "add Weather, then Calendar, and choose the kitchen speaker as the output",
                "catch": "the calendar has to be linked to the profile that speaks",
            },
            {
                "goal": "switch on the porch light at sunset",
                "trigger": "sunset, with an offset of minus 15 minutes",
                "steps": "add the porch light and a second routine that switches it off at 23:00",
                "catch": "the home address has to be right, since the sunset time comes from it",
            },
            {
                "goal": "start the robot vacuum when everybody has left",
                "trigger": "departure of the last phone",
                "steps": "add the vacuum, and a condition that it's between 9:00 and 17:00",
                "catch": "a guest without the app doesn't count, so it may start while they're there",
            },
            {
                "goal": "play rain sounds in the nursery for an hour",
                "trigger": "the phrase “nap time”",
                "steps": "add the sound on the nursery speaker at volume three and a stop after 60 minutes",
                "catch": "some services pause after 30 minutes without a free stream",
            },
            {
                "goal": "announce that the washing machine has finished",
                "trigger": "the smart plug's power falling below 5 watts for three minutes",
                "steps": "add an announcement on all speakers and a message to your phone",
                "catch": "the plug has to measure power, and not all of them do",
            },
        ),
        slots={
            "speaker": ("smart speaker", "kitchen speaker", "smart display", "voice assistant", "new speaker"),
            "room": ("the living room", "the bedroom", "the kitchen", "the nursery", "the hallway"),
            "brand": (
                "bulbs from two brands",
                "a bridge with eight lamps",
                "cheap Wi-Fi plugs",
                "Zigbee sensors",
                "Matter devices",
            ),
            "fault": (
                "runs only every other day",
                "does the first step and then stops",
                "plays in the wrong room",
                "answers “I didn't understand that”",
                "runs twice",
                "doesn't start at all",
            ),
        },
        contexts=(
            "I have a {speaker} in {room} and {brand}.",
            "We just moved and I'm setting everything up again.",
            "There are two adults and <a toddler|two children|a dog> in the house.",
            "I set it up in the app <last night|on Sunday>.",
            "The {speaker} itself works fine.",
        ),
        openings=(
            "How do I <set up a routine|get my {speaker}> to {goal}?",
            "I want my {speaker} to {goal}. <Is that possible?|How?>",
            "Set up a routine to {goal}, <please|step by step>.",
            "My routine to {goal} {fault}. <Why?|How do I fix it?>",
            "<routine {fault}|smart speaker routine|automation for {room}>, {brand}",
            "Which trigger do I need to {goal}?",
            "The automation in {room} {fault}, it's really annoying.",
            "Can a {speaker} {goal} with {brand}?",
            "Until last week I had a routine to {goal} and everyone in the family relied on it. Since I moved the {speaker} to {room} it {fault}. I've deleted it and made it again, with the same result. What am I missing?",
            "Do I need a hub to {goal}?",
            "Ideas for routines in {room}, I have {brand}",
            "Explain what I have to put into the app to {goal}.",
            "Ugh, the {speaker} {fault} again when it's supposed to {goal}.",
        ),
        details=(
            "It should only happen in {room}.",
            "My partner must be able to trigger it too.",
            "Not at the weekend, though.",
            "I have {brand}.",
            "It should work without my phone.",
        ),
        personal=(
            "The home belongs to the account {email}.",
            "The second voice profile is called {colleague}.",
            "The speaker calls me {full_name}, all of it, every time.",
        ),
        answers=(
            "Open the app of the {speaker}, go to Routines and create a new one.\n\n1. As the trigger choose {trigger}.\n2. As the actions, {steps}.\n3. Save and test it with the play button.\n\nMind that {catch}.",
            "Use {trigger} as the trigger; then {steps}. One catch: {catch}.",
            "If a routine {fault}, open its history in the app first, it shows which step failed. Then compare: the trigger should be {trigger}, and for the actions, {steps}. <Often the reason is simply that {catch}.|Also remember that {catch}.>",
            "That works with {brand} as long as they appear in the app of the {speaker}. The trigger is {trigger}. After that, {steps}. <Name every device once only, two lamps called “lamp” confuse it.|Put the devices into the right room, otherwise it guesses.>",
            "Yes, that's a typical case. Choose {trigger} and {steps}. You need a hub only for Zigbee devices, and many speakers have one built in.",
        ),
        clarifications=(
            Clarification(
                "Should it start by voice, at a certain time or through a sensor?",
                ("by voice", "at a certain time", "automatically, I don't want to say anything"),
            ),
            Clarification(
                "Which devices are involved, and do they all show up in the speaker's app?",
                ("{brand}, all of them in the app", "most of them, one is missing", "they're in another app, I think"),
            ),
        ),
        mistakes=(
            Mistake(
                "You can't do that without a paid subscription, I'm afraid.",
                ("A friend does it for free", "I don't think so, the app lets me create routines"),
                "You're right, sorry, routines are free. Use {trigger} as the trigger; then {steps}. Just keep in mind that {catch}.",
            ),
        ),
        exchanges=(
            Exchange(
                ("Can it be limited to weekdays?", "how do I stop it at weekends"),
                (
                    "Yes, in the trigger there's a line for days; tap Saturday and Sunday to take them out.",
                    "Set the days in the schedule. For voice triggers add a condition for the day, if your app has conditions.",
                ),
            ),
            Exchange(
                ("How do I let my partner use it?", "can guests use that as well?"),
                (
                    "Add your partner as a member of the home and train their voice. Shared routines then work for both of you.",
                    "Anyone can say the phrase if the routine is a household one. Personal routines react to your voice only.",
                ),
            ),
            Exchange(
                ("Does it still work when the internet is down?", "is all of that running in the cloud"),
                (
                    "Voice control usually doesn't. Schedules that run on a local hub and Matter devices often do.",
                    "Mostly in the cloud, so no. Anything important, such as the heating, should have a schedule of its own on the device.",
                ),
            ),
            Exchange(
                ("Is the speaker always listening?", "can I delete what it recorded?"),
                (
                    "It listens for the wake word on the device and sends audio only after that. In the privacy settings you can delete recordings and stop them from being kept.",
                    "Yes, under Privacy, Voice history. Set automatic deletion to the shortest period, and use the mute switch when you want to be sure.",
                ),
            ),
            Exchange(
                ("It works! Can I add a delay between two steps?", "works now. and a pause before the last action?"),
                (
                    "Yes, add the action Wait and move it between the two. Most apps allow up to four hours.",
                    "Use Wait or Delay from the list of actions. With longer pauses a second routine is more reliable.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("It still {fault}", "Tried it tonight, it {fault}", "that didn't change anything"),
                (
                    "Sorry. Start it by hand in the app: if it runs there, the trigger is at fault; if it doesn't, take the steps out one by one.",
                    "That's annoying, sorry. Disable the link between the lamps and the {speaker}, link it again and look for duplicate device names.",
                ),
            ),
            Exchange(
                ("I don't have that option in my app", "There's no such trigger in the list"),
                (
                    "Sorry, the list depends on the region and on the app's version. Update it first, then look under Home automations and not under Personal.",
                    "Then your devices don't report that. A simple motion sensor or a fixed time would be the substitute.",
                ),
            ),
        ),
    ),
)

_BLUETOOTH_PAIRING = Intent(
    domain="devices",
    name="bluetooth_pairing",
    weight=0.8,
    weekend=1.2,
    script=Script(
        facts=(
            {
                "gadget": "headphones",
                "host": "the laptop",
                "system": "Windows 11",
                "symptom": "they don't show up in the list",
                "cause": "they're on, but not in pairing mode, or they reconnect to another device at once",
                "fix": "Hold the power button for about seven seconds until the light flashes in two colours, with Bluetooth switched off on every other device nearby.",
            },
            {
                "gadget": "earbuds",
                "host": "the phone",
                "system": "Android",
                "symptom": "only the left one has sound",
                "cause": "the two buds have lost each other",
                "fix": "Put both into the case, hold its button for fifteen seconds to reset them and pair them again as if they were new.",
            },
            {
                "gadget": "car radio",
                "host": "the new phone",
                "system": "Android",
                "symptom": "it connects for calls but plays no music",
                "cause": "the media profile is switched off for this connection",
                "fix": "Open the connection's details on the phone, tick “Media audio” and choose Bluetooth as the source in the car.",
            },
            {
                "gadget": "keyboard",
                "host": "the tablet",
                "system": "iPadOS",
                "symptom": "it asks for a code that can't be entered anywhere",
                "cause": "the code has to be typed on the keyboard itself, followed by Enter",
                "fix": "Start pairing again, type the digits blindly on the keyboard and press Enter.",
            },
            {
                "gadget": "game controller",
                "host": "the PC",
                "system": "Windows 11",
                "symptom": "it disconnects every few minutes",
                "cause": "the USB 3 ports next to the Bluetooth stick interfere, or its battery is low",
                "fix": "Charge it fully and put the Bluetooth stick on a short extension cable, away from USB 3 drives.",
            },
            {
                "gadget": "mouse",
                "host": "the work computer",
                "system": "macOS",
                "symptom": "the pointer stutters",
                "cause": "the signal is disturbed by Wi-Fi on 2.4 GHz",
                "fix": "Move the computer to 5 GHz Wi-Fi and keep the way between mouse and computer free of metal.",
            },
            {
                "gadget": "headset",
                "host": "the work laptop",
                "system": "Windows 11",
                "symptom": "it sounds like an old telephone as soon as a meeting starts",
                "cause": "using its microphone switches it to the hands-free profile, which has far less quality",
                "fix": "Choose the laptop's own microphone in the meeting and leave the headset as the speaker.",
            },
            {
                "gadget": "hearing aids",
                "host": "the television",
                "system": "Android TV",
                "symptom": "they connect to the phone but not to the television",
                "cause": "the television doesn't know the standard they use",
                "fix": "Get the streaming box from the maker of the hearing aids, or check whether the television supports LE Audio.",
            },
            {
                "gadget": "fitness watch",
                "host": "the phone",
                "system": "iOS",
                "symptom": "it pairs and then won't sync",
                "cause": "it was paired in the system settings and not in its app",
                "fix": "Remove it from the Bluetooth list, open the maker's app and add it there.",
            },
        ),
        slots={
            "when": (
                "since the last update",
                "since yesterday",
                "since the weekend",
                "after a reset",
                "since this morning",
            ),
        },
        contexts=(
            "I'm trying to connect my {gadget} to {host}.",
            "It's {system}, fully updated.",
            "The connection to {host} was fine for a year.",
            "I got the {gadget} as a present.",
            "I've switched Bluetooth off and on <three times|more often than I can count>.",
        ),
        openings=(
            "How do I <pair|connect> my {gadget} with {host}? The problem: {symptom}.",
            "<bluetooth {gadget} won't pair|{gadget} not found|bluetooth connection lost>, {system}",
            "My {gadget} and {host} don't get along {when}: {symptom}.",
            "About my {gadget}: {symptom}. <Why?|What's going on?|How can I fix this?>",
            "Help me connect the {gadget} to {host}, please.",
            "{When} I have this with my {gadget}: {symptom}.",
            "Can I use my {gadget} with two devices at the same time?",
            "Why does Bluetooth never just work? It's about my {gadget}, {symptom}.",
            "Do I have to reset the {gadget} if {symptom}?",
            "I've been using my {gadget} with {host} for months without a single problem, but {when} things have gone wrong: {symptom}. I've removed the entry, restarted everything and even tried another room. Is it the {gadget} or is it {system}?",
            "Walk me through pairing the {gadget} on {system}.",
            "{Gadget}, {system}, {symptom}",
            "Where is the pairing mode on <my|these> {gadget}? With {host} I have no luck.",
        ),
        details=(
            "With another device it works.",
            "The battery is full.",
            "On {host} I have {system}.",
            "The manual is long gone.",
            "I need it for a call at four.",
        ),
        personal=(
            "In the list it's called “{full_name}'s {gadget}”.",
            "I got it second-hand from {colleague}, so another phone may still know it.",
            "The app account is {email}.",
        ),
        answers=(
            "About your {gadget}: {symptom}, and the likely reason is that {cause}. {fix}",
            "{fix} The reason: {cause}.",
            "Let's start clean:\n\n1. Remove the {gadget} from the Bluetooth list of {host}.\n2. Switch Bluetooth off on all other devices in the room.\n3. {fix}\n\n<The third step is the important one, since {cause}.|Keep them within a metre while you do that.>",
            "You don't need to replace the {gadget}. What you describe happens when {cause}. {fix}",
            "With {system} open the Bluetooth settings, choose “forget” or “remove” for the {gadget} and start again. {fix} <If it comes back, install pending updates for {host}.|Then test it with another device as well.>",
        ),
        clarifications=(
            Clarification(
                "What is the {gadget} connected to at the moment, anything else nearby?",
                ("maybe my old phone", "nothing as far as I know", "it was connected to {host} before"),
            ),
            Clarification("Which system does {host} run?", ("{system}", "I think {system}", "no idea, it's quite new")),
        ),
        mistakes=(
            Mistake(
                "Enter the code 0000, every Bluetooth device accepts that.",
                ("tried that, it isn't accepted", "0000 doesn't do anything here"),
                "Sorry, that only holds for very old devices. In your case {cause}. {fix}",
            ),
        ),
        exchanges=(
            Exchange(
                ("Can it be connected to two devices at once?", "what is multipoint"),
                (
                    "Only if it supports multipoint. Then pair it with the first device, switch pairing mode on again and pair it with the second.",
                    "Multipoint means that two connections stay open and the one that makes sound wins. Look for it in the maker's app, it's often off by default.",
                ),
            ),
            Exchange(
                ("How do I do a full reset?", "how do you factory reset these things"),
                (
                    "Usually by holding the power or pairing button for 10 to 20 seconds until the light changes. The exact time is in the manual, which the maker has online.",
                    "In the app under device settings, if there is one, otherwise with a long press. Afterwards it has forgotten all devices.",
                ),
            ),
            Exchange(
                ("How far does Bluetooth reach?", "why does it stutter in the next room"),
                (
                    "About ten metres in the open. One wall is fine, two often aren't, and your own body counts as an obstacle too.",
                    "Walls, metal and a crowded 2.4 GHz band shorten it. Five metres through a wall is realistic.",
                ),
            ),
            Exchange(
                ("Why is the sound late when I watch videos?", "there's a delay between picture and sound"),
                (
                    "Bluetooth buffers the audio, usually by 100 to 250 milliseconds. Most video apps make up for it; for games use a low-latency mode or a cable.",
                    "That's the codec. Look for a game or low-latency mode in the app, or for a delay setting in the player.",
                ),
            ),
            Exchange(
                ("Connected! Thank you", "it's paired now, finally"),
                (
                    "Great. If another phone steals the connection, remove the pairing there, that's the usual culprit.",
                    "Good. Check for a firmware update in the maker's app while you're at it.",
                ),
            ),
        ),
        setbacks=(
            Exchange(
                ("Same thing again: {symptom}", "still not working with {host}"),
                (
                    "Sorry. Test the {gadget} with a completely different device. If it works there, the Bluetooth driver of {host} needs an update or a reinstall.",
                    "Then reset the network settings of {host}, if it has that option; sorry, you'll have to enter the Wi-Fi passwords again.",
                ),
            ),
            Exchange(
                ("There is no flashing light, no matter how long I hold it", "I held the button, nothing flashes"),
                (
                    "Sorry, the combinations vary. Start with it switched off, and charge it for half an hour first; with a low battery many refuse to pair.",
                    "Apologies. On many models the button sits on the case or the mode is started by two buttons at once. The quick guide for the exact model number will tell.",
                ),
            ),
        ),
    ),
)

INTENTS = (_WIFI_DROPS, _PRINTER_OFFLINE, _PHONE_BATTERY, _SMART_SPEAKER_ROUTINE, _BLUETOOTH_PAIRING)

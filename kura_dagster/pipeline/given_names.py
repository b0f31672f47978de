"""Common given names, to recognise a full name that nobody introduces ("ask Priya Raman"). Only the list is here.

It holds names that are frequent in English, German, Spanish, French, Italian, Portuguese, Nordic, Slavic, Turkish,
Arabic, Indian and East Asian usage and that are no ordinary words of English, German or Spanish: those are in
`personal_data`, which takes them more carefully. It is far from complete, and a name that is missing is not found.
"""

from __future__ import annotations

_TEXT = """
    aaron abdul abigail adam adrian adriana agnes ahmed aisha akira alan albert alejandra alejandro alessandro alexander
    alexandra alexis alfred ali alice alicia alina allison amanda amara amelia amina amir amit amy ana anastasia anders
    andrea andreas andrei andrés andrew angela angelica anil anita anja anke ann anna anne annette annika anthony antonio
    anton arjun arthur arturo asha astrid aurora ava axel ayesha barbara beatrice beatriz ben benjamin bernard bernd birgit
    björn boris brandon brenda brian brigitte bruno camila carla carlos carmen carolina caroline carsten catherine cecilia
    charles charlotte chloe christina christine christoph christopher cindy claire clara claudia colin connor cristina
    cynthia dagmar daniel daniela danielle dariusz david deborah deepak denis dennis diana diego dieter dimitri dirk
    dmitri dominik dominique donna dorothy douglas edith eduardo edward eileen elena elias elizabeth elisabeth ella ellen
    emil emily emma enrique eric erik erika ernst esther eugene eva evelyn fabian farah fatima felipe felix fernando fiona
    florian francesca francesco francisco frank franziska fred friedrich gabriel gabriela gary george georg gerald gerhard
    giovanni giulia gloria gonzalo gregory greta guillermo gustav hana hannah hans harald harold harry hassan heather
    heike heinrich helen helena helga henrik henry hermann hiroshi holger horst hugo ian ibrahim ignacio igor ilse imran
    ines inga ingrid irene irina isabel isabella isabelle ivan íñigo jacob jakob james jamie jan jana jane janet jasmin
    jason javier jeffrey jennifer jens jeremy jessica jin joachim joan joanna joaquín johan johanna johannes john jonas
    jonathan jordan jorge jörg josé josef joseph joshua juan juanita judith julia julian juliana jun jürgen justin kai
    kamila karen karin karl karla katarina katharina katherine kathleen katja katrin keiko keith kelly kenji kenneth kerstin
    kevin khalid kim klaus kumar lakshmi lars laura lauren lea leila lena leo leon leonardo leonie leticia liam lin linda
    lisa liv logan lorenzo louis louise luca lucas lucía lucy luis luisa lukas luke madison magdalena maja malik manuel
    manuela marcel marco marcus margaret maria maría mariana marie marina mario marisol markus marta martha martin martina
    mary mateo matthew matthias maurice maximilian megan mehmet mei melanie melissa michael michaela michelle miguel
    mikhail milan miriam mohammed mohamed monica monika moritz muhammad mustafa nadia nadine nancy naomi natalia natalie
    natasha nathan neha nicholas nicola nicolas nicole niklas nikolai nils nina noah nora norbert oliver olivia olga omar
    oscar oskar pablo pamela paolo pascal patricia patrick paul paula pavel pedro peter petra philip philipp pia pierre
    piotr priya rachel rafael rahul rainer raj rajesh ralf ramón raquel raúl rebecca regina renate ricardo richard rita
    robert roberto rodrigo roland ronald rosa rosalie rosario roxana rubén rudolf ruth ryan sabine sabrina samantha
    samir samuel sandra sanjay santiago sara sarah scott sean sebastian selena sergei sergio shannon sharon sheila shirley
    silke silvia simon simone sofia sonja sophia sophie stefan stefanie stella stephanie stephen steve steven susan
    susanne suresh svenja sven sylvia tamara tanja tatiana teresa theo theresa thomas thorsten tiffany tim timothy tina
    tobias todd tom tomás tony torsten tracy tyler udo ulrike ulrich ursula ute uwe valentina valeria vanessa vera
    veronica veronika victor victoria vijay viktor vincent virginia vivian vladimir volker walter wei wendy werner
    wilhelm william wolfgang xavier xiang yasmin yoko yolanda yuki yusuf yvonne zachary zara zoe
"""

GIVEN_NAMES = frozenset(_TEXT.split())

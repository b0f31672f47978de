"""Common given names, to recognise a full name that nobody introduces ("ask Priya Raman"). Only the list is here.

It holds names that are frequent in English, German, Spanish, French, Italian, Portuguese, Nordic, Slavic, Turkish,
Arabic, Indian and East Asian usage and that are no ordinary words of English, German or Spanish: those are in
`personal_data`, which takes them more carefully. It is far from complete, and a name that is missing is not found.
"""

from __future__ import annotations

_TEXT = """
    aarav aaron abdul abdullah abdulrahman abena abhishek abigail adam adebayo adela adele aditya adrian adriana
    afonso agnes agnieszka ahmed ahmet aidan aino aisha aitor ajay akiko akira akosua alan albert alberto alejandra
    alejandro aleksandr aleksandra alessandra alessandro alessia alex alexander alexandra alexei alexis alfie
    alfonso alfred alfredo ali alice alicia alina allison almudena amanda amara amelia amelie amina amir amit
    amitabh amy ana ananya anastasia anatoly anders andrea andreas andrei andrew andrés angela angelica angelina
    angelo anil anita anja anjali anke ankit ann anna anne annegret annelie annette annika anouk anthony antje anton
    antonella antonia antonio anupam aníbal aparna araceli ariadna arianna arjun armando arne arthur arturo arvind
    asami asha ashley ashok astri astrid aurelio aurélie ava axel ayesha ayla aylin aysel ayumi ayşe barbara bartosz
    bastian beata beate beatrice beatriz ben benito benjamin benno benoît bernadette bernard bernardo bernd beth
    bethany bettina bhavna bilal birgit björn bjørn bogdan boris borja bożena brandon brenda brian brigitte britt
    brittany bruna brunhilde bruno burak burkhard bárbara bülent caleb callum cameron camila camille carla carlos
    carlota carmelo carmen carolina caroline carsten casandra catarina catherine cayetano cecilia cecilio cengiz
    chantal charles charlie charlotte chiara chidi chihiro chinua chioma chloe christa christel christiane christina
    christine christoph christopher cindy cinzia claire clara claudia claudine claudio clive colin colleen connor
    cornelia courtney cristian cristiano cristina cristóbal cynthia czesław cédric céline césar dagmar daisuke
    damien damián daniel daniela daniele danielle danny dario dariusz david davide deborah deepak delfina delphine
    denis dennis derek desirée detlef devon diana didier diego dieter dietmar dietrich dimitri dinesh dirk divya
    dmitri dmitry domenico dominic dominik dominique donald donna doris dorota dorothy douglas duarte dustin dylan
    débora ebele eberhard ebru edeltraud edgar edith eduardo edward eero efraín eiji eileen eino eirik ekkehard
    eleanor elena elfriede elias elif elisa elisabeth elisabetha elizabeth elke ella ellen ellie elliot elliott
    eloísa elżbieta emeka emiko emil emiliano emilio emily emine emma emre enrique enriqueta enzo erdem erhard eric
    erik erika erin erkan erling ernesto ernst erwin esteban estefanía esther ethan eugen eugene eugenia eusebio eva
    evan evelyn ewa ewald fabian fabio fabrice fabrizio facundo fadi faisal falk farah farid faruk fatih fatima
    fatma federica federico felipe felix femi femke ferhat fermín fernando filipa filippo finley fiona flavia
    florencia florian floris folake franca francesca francesco francisca francisco frank franziska françois
    françoise fred freya friedrich fritz frode frédéric fumiko fátima félix gabriel gabriela gabriele ganesh gareth
    gary gaurav gavin gaëlle geert geneviève genoveva geoffrey georg george gerald geraldine gerardo gerd gerda
    gerhard germán gertraud gertrud giacomo gianluca gianni gijs gilbert gilles giorgio giovanni gisela giulia
    giuseppe gonzalo gonçalo gopal gottfried graeme graham gregorio gregory greta grzegorz guadalupe gudrun
    guillaume guillermo gunilla gunnar gustav gökhan günter günther habib hakan halil halina hamid hamza hana hannah
    hanne hannelore hans hans-jürgen hansjörg harald harish harold harry hartmut haruki haruto hasan hassan hatice
    hayden heather hedwig heidi heike heiko heinrich heinz helen helena helga helmut hendrik henning henriette
    henrik henry herbert hermann hernán hervé hideki hilario hilary hildegard hiroshi hisham hitomi holger horst
    hortensia howard hugh hugo hugues humberto huong hussein hyun håkan héctor hélène hüseyin ian ibrahim ignacio
    igor ilaria ilse imran ineke ines inga ingeborg ingo ingrid ingvild inés inês irene irina irmgard isaac isabel
    isabella isabelle isaiah ishaan isidro ismael ismail ivan ivana iván iñaki jacek jacinto jacob jacqueline
    jacques jadwiga jaime jakob jamal james jamie jan jana jane janet jared jarosław jasmin jasmine jason javi
    javier jean jeffery jeffrey jemma jenaro jennifer jens jeremiah jeremy jeroen jerzy jerónimo jessica jesús jill
    jimena jin jisoo joachim joan joana joanna joanne joaquín jochen joel johan johanna johannes john jon jonas
    jonathan jonathon joost jordan jordi jorge josef josefa josefina joseph josephine josh joshua josé joão juan
    juanita judit judith juhani julia julian juliana julien julio julián junko justin justyna jutta jérôme jörg jörn
    jørgen jürgen kadir kai kamau kamil kamila kaori kara karen karima karin karl karl-heinz karla karoline karsten
    katarina katarzyna katharina katherine kathleen kathy katja katrin kavita kayla kazimierz kazuki kazuo kees
    keiko keith kelly kemal kenji kenneth kenta kerstin kevin khalid kieran kim kimberly kirsty kjell klaus knut
    kofi konrad konstantin krishna kristen kristin kristina kristy krzysztof kumar kumiko kurt kwabena kwaku kwame
    kyle lakshmi lalita larry lars latoya laura lauren laurent lawrence layla lea leandro leila lena lene leo leon
    leonardo leonhard leonie leonor leopoldo leslie leticia lewis leyla liam lidia lieke lieselotte lin linda
    lindiwe lindsay lindsey linnea lisa liv logan lorena lorenza lorenzo lori lorraine lothar lotte louis louise
    lourdes loïc luca lucas luciano lucien lucinda lucy lucía ludmila ludovic ludwig luigi luis luisa luisina lukas
    luke lutz luísa maarten macarena maciej madalena madison mafalda magda magdalena mahesh mahmoud maite maja
    makoto malik malte manfred manish manoj manolo manuel manuela marc marcel marcela marcella marcelo marcia
    marcial marco marcos marcus mareike marek margaret margarete margarida margit margot maria mariam mariana
    marianne mariano maribel marie mariko marilyn marina mario marisa marisol marissa markus marlene marlies marloes
    marta martha martin martina mary maryam marzena maría masako masato massimo mateo mateusz mathias mathieu
    mathilde matteo matthew matthias matti mattia maureen maurice mauricio mauro maximilian mayumi małgorzata
    mechthild meena meera megan megumi mehmet mei meike melanie melinda melissa meredith merel meryem mette micaela
    michael michaela michele michelle michiko miguel miguela mikhail mikko mikołaj milan minho minji minoru mireia
    mireille miriam mirko mirosław mitchell miyuki mohamed mohammad mohammed mohan moisés mona monica monika monique
    montserrat moritz morten mounir muhammad mukesh murat mustafa míriam mónica nabil nacho nadia nadine nancy nanna
    naoki naoko naomi nasser natalia natalie natalya natasha nathalie nathan nathaniel natividad naveen nazaret
    neeraj neha neil nele nerea nesrin ngozi nguyen nicholas nicola nicolai nicolas nicole nicoletta nicolás niels
    nigel nikhil nikita niklas nikolai nils nina nisha nitin nkechi noah noelia nomvula nora norbert noriko noémie
    nuno nuria nurten obinna octavio oddvar odile oksana olaf oleg olegario olga oliver olivia olivier ollie olly
    oluwaseun omar omer orhan ornella oscar oskar osman ottmar otto otávio outi pablo pamela paola paolo pascal
    pascale pascual patricia patrick patrizia paul paula pauline pavel pawel paweł pedro pekka pernille peter petra
    philip philipp phillip phoebe phuong pia piero pierre pierrick pieter piotr pirjo polina pooja pradeep prakash
    pranav preeti priya qiang quentin rachel radha radosław rafael rafaela raffaele raghav ragnhild rahul raimund
    rainer raj rajesh rajiv rakesh ralf ramesh ramiro ramón randall rania raphaël raquel rashid rasmus ravi raymond
    raúl rebecca recep regina reiner reinhard reinhold rekha renate renato rené rhonda rhys ricarda ricardo riccardo
    richard rita robert roberto rodney rodolfo rodrigo rogelio roger rohan rohit roisin roland ronald ronnie rosa
    rosalie rosario roswitha roxana rubén rudolf rupert rutger ruth ruy ryan rémi rüdiger saad sabine sabrina
    sachiko sachin sally salma salvatore samanta samantha sami samir samuel sandeep sandra sandrine sangeeta sanjay
    sanjeev sanne santiago sara sarah saskia satish satoshi scott sean sebastian sebastián selena selin seojun
    serafín sergei sergio serkan seth shane shannon sharon shaun shawn sheila sheri sherri shigeru shilpa shinji
    shirley shiro shreya shweta sibel sibylle siegbert siegfried signe sigrid sigurd silke silvia silvio simon
    simona simone sina sinan siobhan sipho sjoerd sneha sofia solveig solène sonia sonja soojin sophia sophie
    sridhar srinivas stacey stacy stefan stefania stefanie stefano steffen steffi stella stephanie stephen steve
    steven stewart stijn stuart stéphane subhash sudhir sumit sunil sunita suresh susan susana susanne sushma
    suzanne sven svenja svetlana swantje swati sylvain sylvia sylvie szymon sébastien sören søren süleyman sławomir
    tadashi tadeusz takashi takeshi takumi tamara tammy tanja tanvi tariq tatiana tatsuya tatyana tegan teodoro
    teresa terri tetsuya teófilo thabo thao themba theo theodore theresa thiago thibault thierry thilo thomas
    thorben thorsten thorvald thuy tiago tiffany tijs tilman tim timo timothy tina tiziana tobias toby todd tolga
    tom tomasz tommaso tomoko tomás tony tonya toribio torsten tove tracey tracy traudel trevor trine tristan
    tristán trude tuan tunde tuomas turgut tyler udo ulf ulla ulrich ulrike umberto ursula usha ute uwe valentina
    valentino valentín valeria valerie valérie vanesa vanessa varun vasco vasily veit vera verena vernon veronica
    veronika verónica vibeke vicente vicki victor viggo vijay vikas vikram viktor vinay vincent vincenzo vinod
    vinícius virgilio virginia vishal vittorio vivek vivian vladimir volker volkmar véronique víctor walid walter
    waltraud wanda wanjiru wei wendy werner wesley whitney wiebke wiktor wilfredo wilfried wilhelm william willie
    wilma winfried witold wojciech wolfgang wolfram wouter wyatt xavi xavier xiang ximena xolani yago yaiza yann
    yannick yasemin yasmin yasser yasuo yavuz yesenia yoko yolanda yoshiko youssef yuki yukiko yumi yuri yusuf yuta
    yves yvette yvonne zacarías zachary zainab zanele zara zbigniew zdenka zeynep zhen zofia zoraida zoë álvaro åsa
    émile étienne íñigo óscar özgür özlem úrsula łukasz
"""

GIVEN_NAMES = frozenset(_TEXT.split())

"""Suggestions are clear only where one right is asked for in so many words; a wrong one is never offered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar.intake.mail.classify import RIGHTS, classify, fold

CLEAR = [
    ("deletion", "en", "delete my account and all my data"),
    ("deletion", "en", "Hi,\n\nI no longer use your service. Please delete my account.\n\nThanks,\nJo"),
    ("deletion", "en", "Could you please erase all personal data you hold about me?\nKind regards"),
    ("deletion", "en", "i want you to delete everything you have on me"),
    ("deletion", "en", "Please close my account and delete all of my data."),
    ("deletion", "en", "I am writing to request deletion under CCPA § 1798.105"),
    (
        "deletion",
        "en",
        "Request under Article 17 GDPR. I ask you to erase my personal data without undue delay.",
    ),
    ("deletion", "de", "Bitte löschen Sie mein Konto und alle meine Daten."),
    ("deletion", "de", "Hallo, ich möchte, dass meine Daten gelöscht werden. Danke"),
    ("deletion", "de", "Bitte loeschen Sie meinen Account"),
    ("deletion", "fr", "Merci de supprimer mon compte et toutes mes données"),
    ("deletion", "es", "Por favor, borren mi cuenta y todos mis datos"),
    ("deletion", "it", "Vorrei cancellare il mio account e tutti i miei dati"),
    ("deletion", "nl", "Graag mijn account en al mijn gegevens verwijderen"),
    ("deletion", "pt", "Por favor apaguem a minha conta e todos os meus dados"),
    ("deletion", "pl", "Proszę usunąć moje konto i wszystkie moje dane osobowe"),
    ("deletion", "sv", "Vänligen radera mitt konto och alla mina uppgifter"),
    ("deletion", "da", "Venligst slet min konto og alle mine data"),
    ("deletion", "fi", "Poistakaa tilini ja kaikki tietoni, kiitos"),
    ("deletion", "cs", "Prosím smažte můj účet a všechny mé údaje"),
    ("deletion", "en", "I'm not using this any more so please delete my account."),
    ("deletion", "de", "Ich nutze den Dienst nicht mehr, bitte löschen Sie mein Konto."),
    ("deletion", "fr", "Je n'utilise plus le service, veuillez supprimer mon compte."),
    ("deletion", "es", "Ya no uso el servicio, por favor eliminen mi cuenta."),
    ("access", "en", "What data do you have about me?"),
    ("access", "en", "I would like a copy of my data please"),
    ("access", "de", "Welche Daten haben Sie über mich gespeichert?"),
    (
        "access",
        "en",
        "I hereby request access according to Article 15 GDPR. I also ask for a copy under Art. 20(1) GDPR.",
    ),
    ("correction", "en", "Please correct my name"),
    ("correction", "en", "I request rectification of my data under Art. 16 GDPR"),
    ("objection", "en", "I object to the processing of my data"),
    ("restriction", "en", "I request restriction of processing of my data under Art. 18 GDPR"),
    ("portability", "en", "I am exercising my right to data portability under Art. 20 GDPR"),
    ("withdraw_consent", "en", "I hereby withdraw my consent"),
    ("opt_out_sale", "en", "Do not sell my personal information"),
    ("opt_out_targeted", "en", "I want to opt out of targeted advertising"),
    ("limit_sensitive", "en", "Please limit the use of my sensitive personal information"),
    ("marketing_opt_out", "en", "Please unsubscribe me from your newsletter"),
    ("marketing_opt_out", "en", "Stop sending me marketing emails"),
    (
        "marketing_opt_out",
        "en",
        "I object to the processing of my data for direct marketing (Article 21(2) GDPR)",
    ),
    ("human_review", "en", "Please have the decision to ban me reviewed by a human"),
    ("know", "en", "Which categories of personal data do you collect? I request to know under CCPA."),
]

UNCLEAR = [
    "Hello, I want to delete my account but the button does not work",
    "Please delete my account except my invoices",
    "Please delete my data only after you have sent me a copy",
    "I don't want my data deleted, only my newsletter stopped",
    "My ex wants you to delete my account, ignore her",
    "You must not delete my account",
    "Under no circumstances delete my data",
    "I refuse to have my account deleted, please help",
    "Please help, a hacker threatens to delete my account",
    "It would be a shame to delete my account, please fix the bug",
    "Please prevent the system from trying to delete my account",
    "No, please, I beg you, do not delete my data",
    "Ich möchte mein Konto nicht löschen",
    "Ich will nicht, dass Sie meine Daten löschen",
    "Je ne souhaite pas supprimer mon compte",
    "Non voglio cancellare il mio account",
    "No quiero eliminar mi cuenta",
    "Nie chcę usunąć mojego konta",
    "Jag vill inte radera mitt konto",
    "Jeg ønsker ikke at slette min konto",
    "En halua poistaa tiliäni",
    "Nechci smazat svůj účet",
    "Ik wil mijn account niet verwijderen",
    "Eu não quero apagar a minha conta",
    "please remove me",
    "please close my account",
    "unsubscribe",
    "Do not delete my data",
    "Please do NOT delete my account, I just want to change my email.",
    "please don't ever, under any circumstances, delete my account",
    "I was told you want to delete my account. Please don't.",
    "Delete my account? Never!",
    "How do I delete my account?",
    "Can I delete my account?",
    "Why did you delete my account? Please restore it",
    "I want to know why you deleted my account",
    "I accidentally deleted my account, please restore my data",
    "Thanks for deleting my data",
    "I want access to my account, I lost my password",
    "Please send me a copy of my data and then delete my account",
    "Please send me a copy of my data without deleting my account. Do not delete my account.",
    "I request Art. 15 and Art. 17 GDPR",
    "Delete my account if you cannot refund me",
    "If the price goes up, delete my account",
    "I need you to stop charging me or I will delete my account",
    "On behalf of my client, delete my data",
    "Please delete my son's account and all my data",
    "I sent you a request to delete my data last month. No answer.",
    "Please cancel my deletion request, I changed my mind.",
    "Please stop the deletion of my account",
    "> Please delete my account and all my data",
    "Your website says: 'please delete my account' must be sent by email. Is that right?",
    'Someone wrote "please delete my account" in my name.',
    "Please delete my API key",
    "Please delete my account manager from the list",
    "The article 17 of our contract says please pay",
    "I hereby lodge a complaint under Art. 77 GDPR about the deletion of my data.",
    "Bitte löschen Sie meine Daten nicht.",
    "Bitte kündigen Sie mein Konto",
    "Wie kann ich mein Konto löschen?",
    "Ne supprimez pas mes données",
    "No borren mis datos, por favor",
    "Non cancellate i miei dati",
    "Verwijder mijn account niet",
    "Proszę nie usuwać moich danych",
    "Não apaguem os meus dados",
    "Radera inte mitt konto",
    "Slet ikke min konto",
    "Älkää poistako tietojani",
    "Nemažte můj účet",
    "",
    "Wann hat das Büro geöffnet?",
    "请删除我的帐户",
]


@pytest.mark.parametrize(("right", "language", "text"), CLEAR)
def test_one_right_asked_for_plainly_is_clear(right, language, text):
    found = classify("", text)
    assert (found.right, found.confidence) == (right, "clear"), found
    assert right in found.rights
    assert any(line.startswith(f"asked:{right}:") for line in found.evidence)
    assert found.language in (language, "")


@pytest.mark.parametrize("text", UNCLEAR)
def test_everything_else_is_left_to_a_person(text):
    assert classify("", text).confidence == "unclear", classify("", text)


def test_a_subject_counts_unless_it_belongs_to_another_mail():
    assert classify("Deletion of my data", "My address is ana@example.org").right == "deletion"
    assert classify("Delete my account", "").confidence == "clear"
    assert classify("Re: Delete my account", "ok thanks").confidence == "unclear"
    assert classify("WG: Löschung meiner Daten", "siehe unten").confidence == "unclear"
    assert classify("Delete my account", "Sorry, please do not delete my account.").confidence == "unclear"
    assert classify("Delete my account", "Please send me a copy of my data.").confidence == "unclear"


def test_hints_name_the_right_to_look_at_first():
    found = classify("", "please close my account")
    assert (found.right, found.rights) == ("deletion", ("deletion",))
    both = classify("", "Please delete my data and unsubscribe me from your newsletter")
    assert both.confidence == "unclear"
    assert set(both.rights) >= {"deletion", "marketing_opt_out"}


def test_a_form_letter_with_conditional_paragraphs_is_still_one_request():
    letter = (
        "To whom it may concern,\n\nI hereby request the erasure of my personal data according to Article "
        "17 GDPR.\n\n"
        "If I have given consent to the processing, I hereby withdraw my consent.\n\n"
        "Where you have disclosed the data, inform every recipient of my request (Article 19 GDPR).\n\n"
        "If you do not answer in time I will lodge a complaint with the supervisory authority."
    )
    assert (classify("", letter).right, classify("", letter).confidence) == ("deletion", "clear")
    objection = letter + "\n\nIn addition, I object to the processing of my data according to Article 21(1) GDPR."
    assert classify("", objection).confidence == "unclear"
    assert set(classify("", objection).rights) >= {"deletion", "objection"}


def test_the_same_text_gives_the_same_answer():
    text = "Bitte löschen Sie mein Konto. Please delete my account."
    assert classify("Hallo", text) == classify("Hallo", text)


def test_what_is_too_long_to_be_read_whole_is_left_to_a_person():
    request = "Please delete my account and all my data.\n\n"
    assert classify("", request).confidence == "clear"
    assert classify("", request + "Thank you. " * 300 + "Never mind.").confidence == "unclear"
    assert classify("", request + "a" * 20_000).confidence == "unclear"


def test_folding_takes_accents_and_typography_away():
    assert fold("Löschén Straße ŁÓDŹ I’d") == "loschen strasse lodz i'd"


WORDS = [
    "delete",
    "erase",
    "my",
    "all",
    "data",
    "account",
    "please",
    "not",
    "do",
    "if",
    "and",
    "the",
    "of",
    "meine",
    "alle",
    "Daten",
    "löschen",
    "Sie",
    "nicht",
    "mes",
    "données",
    "supprimer",
    "art.",
    "17",
    "GDPR",
    "1798.105",
    "?",
    ".",
    ">",
    '"',
    "no",
    "mis",
    "datos",
]


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)),
    st.text(max_size=40),
)
def test_no_text_raises_and_every_answer_is_in_the_vocabulary(text, subject):
    found = classify(subject, text)
    assert found.right is None or found.right in RIGHTS
    assert set(found.rights) <= set(RIGHTS)
    assert found.confidence == "unclear" or found.right is not None

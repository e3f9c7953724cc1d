"""What each code is called at the desk and what it says to the person: (short label, plain text)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

CODES: Final[Mapping[str, tuple[Any, Any]]] = {
    "TAX_ACCOUNTING": (
        _("Tax and accounting"),
        _("Tax and accounting law makes us keep invoices and payment records for a fixed number of years."),
    ),
    "SECURITY_LOGS": (
        _("Security of the service"),
        _("We still need these logs to notice and stop attacks and misuse. They are used for nothing else."),
    ),
    "REFUND_DUE": (
        _("Refund due to you"),
        _("We owe you a refund. Until it is paid we keep the payment reference and the amount, and nothing more."),
    ),
    "AML_KYC": (
        _("Money laundering checks"),
        _("The law against money laundering makes us keep these checks for a fixed number of years."),
    ),
    "EMPLOYMENT": (
        _("Employment records"),
        _("Employment law makes us keep payroll, pension or safety records for a fixed number of years."),
    ),
    "SUPPRESSION": (
        _("Do-not-contact record"),
        _("We keep a scrambled form of your address, so that we do not contact you or take your data back in."),
    ),
    "REQUEST_RECORD": (
        _("Record of this request"),
        _("We keep a short record of this request and of our answer, to be able to show that we gave it."),
    ),
    "EU_EXPRESSION": (
        _("Freedom of expression"),
        _("This is needed for the freedom of expression and information of others."),
    ),
    "EU_LEGAL_OBLIGATION": (
        _("Legal obligation"),
        _("A law of the European Union or of a member state makes us keep this."),
    ),
    "EU_PUBLIC_TASK": (
        _("Task in the public interest"),
        _("This is needed for a task in the public interest."),
    ),
    "EU_PUBLIC_HEALTH": (_("Public health"), _("This is needed for reasons of public health.")),
    "EU_ARCHIVE_RESEARCH": (
        _("Archive or research"),
        _("This is needed for an archive in the public interest, for research or for statistics."),
    ),
    "EU_LEGAL_CLAIMS": (
        _("Legal claims"),
        _("This is needed to bring, to pursue or to answer a legal claim."),
    ),
    "CA_TRANSACTION": (
        _("Transaction or contract"),
        _("This is needed to complete what you bought, or to keep a contract, a warranty or a recall with you."),
    ),
    "CA_SECURITY": (_("Security and integrity"), _("This is needed to keep the service secure and intact.")),
    "CA_DEBUG": (
        _("Repairing errors"),
        _("This is needed to find and repair errors in how the service works."),
    ),
    "CA_FREE_SPEECH": (
        _("Free speech"),
        _("This is needed for free speech, ours or another person's, or for another right that the law gives."),
    ),
    "CA_CALECPA": (
        _("Electronic communications privacy"),
        _("The California Electronic Communications Privacy Act makes us keep this."),
    ),
    "CA_RESEARCH": (
        _("Research you agreed to"),
        _("This is part of research in the public interest to which you agreed, and which deletion would harm."),
    ),
    "CA_INTERNAL_EXPECTED": (
        _("Expected internal use"),
        _("We use this only internally, in a way that you can expect from your relationship with us."),
    ),
    "CA_LEGAL_OBLIGATION": (_("Legal obligation"), _("A law makes us keep this.")),
    "CA_CLAIMS_LAW_ENFORCEMENT": (
        _("Claims or law enforcement"),
        _("This is needed for legal claims, or to comply with the law or with an inquiry by the authorities."),
    ),
    "US_STATE_LAW": (
        _("Other law"),
        _("Another law, or an inquiry of the authorities, makes us keep this; the law of your state allows it."),
    ),
    "US_STATE_CLAIMS": (_("Legal claims"), _("This is needed to bring, to prepare or to answer a legal claim.")),
    "US_STATE_SECURITY": (
        _("Security and fraud"),
        _("This is needed to notice, prevent or pursue attacks, fraud and misuse."),
    ),
    "US_STATE_CONTRACT": (
        _("Contract with you"),
        _("This is needed to provide what you asked for, or to keep a contract or a warranty with you."),
    ),
    "BR_ART16": (
        _("Kept under Article 16"),
        _(
            "The law lets us keep this: for a legal duty, for research, or for our own use once nobody can be known by it."
        ),
    ),
    "LEGAL_OBLIGATION": (_("Legal obligation"), _("A law makes us keep this.")),
    "LEGAL_CLAIMS": (_("Legal claims"), _("This is needed to bring, to pursue or to answer a legal claim.")),
    "LEGAL_HOLD": (
        _("Legal hold"),
        _("Deletion of this data is stopped for now; the legal ground is named beside it."),
    ),
    "BUSINESS_NECESSITY": (
        _("Business necessity"),
        _("This is a description; the legal ground is named beside it."),
    ),
    "MANIFESTLY_UNFOUNDED": (
        _("Manifestly unfounded"),
        _("We find that this request is plainly not meant as a use of the right it names. We have said why."),
    ),
    "EXCESSIVE": (
        _("Excessive"),
        _("We find that this request goes plainly beyond what the law gives, for instance by repetition."),
    ),
    "REPEATED": (
        _("More than twice in twelve months"),
        _("You have had two answers of this kind in the last twelve months; the law does not give a third."),
    ),
    "OVER_THE_NUMBER": (
        _("Beyond the free number"),
        _("You have had as many answers in the last twelve months as the law of your state gives free of charge."),
    ),
    "FRIVOLOUS": (
        _("Frivolous or vexatious"),
        _("We find that this request is plainly not meant as a use of the right it names. We have said why."),
    ),
    "NOT_OUR_CONTROLLER": (
        _("For another organisation to answer"),
        _("Another organisation decides about this data, and we only hold it for them. Please turn to them."),
    ),
    "IDENTITY_NOT_PROVEN": (
        _("Identity not proven"),
        _("We could not make sure that the request comes from the person it is about, so we may not carry it out."),
    ),
    "SAID_NOT_ME": (
        _("“This was not me”"),
        _(
            "From an address of yours we were told that it was not you who asked. So we could not make sure that the request"
            " comes from the person it is about, and may not carry it out."
        ),
    ),
    "FEE_NOT_PAID": (
        _("Fee not paid"),
        _(
            "The law lets us ask for a fee for this request. We asked for it, and it was not paid by the day that we named."
        ),
    ),
    "AGENT_NOT_AUTHORISED": (
        _("Authority not shown"),
        _("We were not shown that the person who wrote to us may act for the person it is about."),
    ),
    "EXEMPT": (
        _("Exempt from deletion"),
        _("The law lets us keep everything we hold about you."),
    ),
    "GROUND_NOT_MET": (
        _("Conditions of the right not met"),
        _("The law gives this right under certain conditions, and they are not met here."),
    ),
    "NOT_PROMISED_BY_LAW": (
        _("Not a right under this law"),
        _("The law of your place does not give this right, and we cannot grant it of our own accord here."),
    ),
    "COMPELLING_GROUNDS": (
        _("Compelling grounds"),
        _("We have compelling grounds for this use which outweigh your interests, or need it for legal claims."),
    ),
    "ACCURATE_AS_HELD": (
        _("Accurate as it is"),
        _("Taking everything together, we find that what we hold is more likely right than the change asked for."),
    ),
    "CORRECTION_UNLAWFUL": (
        _("Change would break the law"),
        _("The law does not let us make this change."),
    ),
    "NOT_SHOWN": (
        _("Not shown to be wrong"),
        _("We asked for something that shows that what we hold is wrong, and what we have does not show it."),
    ),
    "RECORD_OF_ITS_DAY": (
        _("Record of what was true on its day"),
        _("This records what was true, or was said, on a certain day. Rewritten, it would no longer be right."),
    ),
    "CHANGE_IT_YOURSELF": (
        _("To be changed in the account settings"),
        _(
            "This is what you sign in with. You can change it in your account settings, where the new one is proven first."
        ),
    ),
    "RIGHTS_OF_OTHERS": (
        _("Rights of others"),
        _("What you ask for cannot be given without harm to the rights of other people."),
    ),
    "HOUSEHOLD": (
        _("Household data"),
        _("This data belongs to a household rather than to you alone, and the law leaves it out of this right."),
    ),
    "FRAUDULENT_OPT_OUT": (
        _("Fraudulent"),
        _("We have good and documented reason to believe that this request is fraudulent. We have said why."),
    ),
    "OUT_OF_SCOPE": (
        _("Outside this law"),
        _("The data or the situation lies outside what this law covers."),
    ),
    "FEE_OVER_THE_FREE_NUMBER": (
        _("Beyond the free number"),
        _("You have had as many free answers in the last twelve months as the law of your state gives."),
    ),
    "FEE_UNFOUNDED": (
        _("Manifestly unfounded"),
        _("We find that this request is plainly not meant as a use of the right it names. We have said why."),
    ),
    "FEE_EXCESSIVE": (
        _("Excessive"),
        _("We find that this request goes plainly beyond what the law gives free of charge. We have said why."),
    ),
    "FEE_REPETITIVE": (
        _("Repetitive"),
        _("We find that this request repeats others that we have answered. We have said which."),
    ),
    "FEE_FURTHER_COPIES": (_("Further copy"), _("The first copy is free; this is a further one of the same data.")),
    "FEE_DISPROPORTIONATE": (
        _("Effort out of proportion"),
        _("Answering takes an effort that is out of proportion; the law lets us ask for a share of what it costs."),
    ),
    "FEE_COST_ANNOUNCED": (
        _("Cost announced beforehand"),
        _("The law lets us ask for what this costs us, if we tell you beforehand and you still want it."),
    ),
    "FEE_ACCESS_COST": (
        _("Cost of giving access"),
        _("The law lets us ask for a reasonable part of what it costs us to give you access."),
    ),
    "NO_ANSWER": (
        _("No answer came"),
        _("We needed something from you to go on, and we waited for it. It has not come."),
    ),
    "COMPLEXITY": (_("Complex request"), _("Your request is complex and takes more time to answer well.")),
    "NUMBER_OF_REQUESTS": (
        _("Number of requests"),
        _("The number of requests we received means that we need more time to answer yours."),
    ),
    "SEARCH_TAKES_LONGER": (
        _("The search takes longer"),
        _("Finding your data takes reasonably longer than the first period allows."),
    ),
    "INTERFERENCE": (
        _("Would disturb our work"),
        _("Answering within the first period would disturb our work beyond what is reasonable."),
    ),
    "CONSULTATION": (
        _("Others have to be asked"),
        _("We have to ask others before we can answer, and that takes time."),
    ),
    "CONVERSION": (_("Another format"), _("It takes time to put your data into the format that you asked for.")),
    "JUST_CAUSE": (
        _("Just cause"),
        _("There is a good reason why we cannot show you the data yet. We have said which."),
    ),
    "THIRD_PARTY": (
        _("Rights of another person"),
        _("This is about somebody else, whose rights it would harm to hand it out."),
    ),
    "SECRET_VALUE": (
        _("Security"),
        _("Whoever holds this could get into an account or past a safeguard, so it is never handed out."),
    ),
    "TRADE_SECRET": (
        _("Trade secret"),
        _("This would disclose a trade secret or the protected work of somebody."),
    ),
    "PRIVILEGE": (
        _("Confidential legal advice"),
        _("This is confidential between us and our lawyers."),
    ),
    "SYSTEM_CANNOT": (
        _("A system could not do it"),
        _("One of our systems could not do it, and nobody could do it there by hand."),
    ),
    "NOT_IDENTIFIABLE": (
        _("Cannot be told to be yours"),
        _("We cannot tell which of what is held there is about you."),
    ),
    "DISPROPORTIONATE_EFFORT": (
        _("Impossible, or an effort out of proportion"),
        _("Doing it there is impossible, or takes an effort out of proportion to what it would give you."),
    ),
}

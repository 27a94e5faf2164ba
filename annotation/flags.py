from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Flag(TextChoices):
    """What can be wrong with, or worth noting of, a single response.

    Modelled on what InstructGPT's labelers noted of each output (Ouyang et al. 2022, table 3).
    """

    WRONG_TASK = "wrong_task", _("Does not do what was asked")
    UNFIT_FOR_ASSISTANT = "unfit_for_assistant", _("Unfit for an assistant that serves customers")
    HALLUCINATION = "hallucination", _("Makes things up")
    BREAKS_CONSTRAINT = "breaks_constraint", _("Breaks a constraint in the prompt")
    SEXUAL = "sexual", _("Sexual content")
    VIOLENT = "violent", _("Violent content")
    ENCOURAGES_HARM = "encourages_harm", _("Encourages violence, abuse, terror or self-harm")
    DENIGRATES = "denigrates", _("Denigrates a group of people")
    HARMFUL_ADVICE = "harmful_advice", _("Gives harmful advice")
    OPINION = "opinion", _("Voices an opinion")
    MORAL_JUDGEMENT = "moral_judgement", _("Makes a moral judgement")

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from annotation.models.labelers import Person


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def active(self) -> CampaignQuerySet:
        return self.filter(status=Campaign.Status.ACTIVE)

    def visible_to(self, person: Person) -> CampaignQuerySet:
        """Those for everybody, and those for a cohort of theirs."""
        limited = Campaign.cohorts.through.objects.filter(campaign=OuterRef("pk"))
        return self.filter(~Exists(limited) | Exists(limited.filter(cohort__members=person)))

    def with_guideline_versions(self, labeler: Person) -> CampaignQuerySet:
        """With the current version and the last one that the labeler acknowledged; 0 where there is none."""
        versions = Guideline.objects.filter(campaign=OuterRef("pk")).order_by("-version")
        read = versions.filter(acknowledgements__labeler=labeler)
        return self.annotate(
            guideline_version=Coalesce(Subquery(versions.values("version")[:1]), 0),
            acknowledged_version=Coalesce(Subquery(read.values("version")[:1]), 0),
        )


class Campaign(models.Model):
    """A body of prompts, the people's work on them, and the rules of that work."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        """Labelers are handed work."""
        PAUSED = "PAUSED", _("Paused")
        """Nothing new is handed out; held work may still be submitted."""

    class Selection(models.TextChoices):
        OLDEST = "oldest", _("In the order they came")
        UNCERTAIN = "uncertain", _("Where the reward model is unsure")
        DISAGREEMENT = "disagreement", _("Where labelers disagree")

    class Consensus(models.TextChoices):
        BRADLEY_TERRY = "bradley_terry", _("Bradley–Terry")
        PLACKETT_LUCE = "plackett_luce", _("Plackett–Luce")
        BORDA = "borda", _("Borda count")
        RANKED_PAIRS = "ranked_pairs", _("Ranked pairs")

    class Rationale(models.TextChoices):
        NOT_ASKED = "not_asked", _("Not asked for")
        OPTIONAL = "optional", _("Optional")
        REQUIRED = "required", _("Required")

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.ACTIVE)
    overlap = models.PositiveSmallIntegerField(
        _("overlap"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
        help_text=_("How many labelers rank each candidate set."),
    )
    demonstrations_per_prompt = models.PositiveSmallIntegerField(
        _("demonstrations per prompt"),
        default=1,
        validators=[MaxValueValidator(9)],
        help_text=_("How many labelers write an answer to each prompt; 0 asks for none."),
    )
    lease_minutes = models.PositiveSmallIntegerField(
        _("lease in minutes"),
        default=45,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text=_("How long a labeler may hold an assignment without a sign of life."),
    )
    held_out_percent = models.PositiveSmallIntegerField(
        _("held-out share in percent"),
        default=25,
        validators=[MaxValueValidator(90)],
        help_text=_("The share of prompts that no model is trained on; decided by the prompt's text."),
    )
    selection = models.CharField(
        _("asked first"),
        max_length=12,
        choices=Selection.choices,
        default=Selection.OLDEST,
        help_text=_("What is asked first among candidate sets of equal priority."),
    )
    extra_overlap = models.PositiveSmallIntegerField(
        _("extra overlap"),
        default=0,
        validators=[MaxValueValidator(8)],
        help_text=_("How many more labelers are asked where the first ones disagree."),
    )
    wanted_agreement = models.PositiveSmallIntegerField(
        _("wanted agreement in percent"),
        default=60,
        validators=[MaxValueValidator(100)],
        help_text=_("Labelers disagree on a candidate set when fewer of their comparisons than this agree."),
    )
    reviews_disagreements = models.BooleanField(
        _("reviews disagreements"),
        default=False,
        help_text=_("What labelers still disagree on goes to a reviewer, whose order then counts."),
    )
    gold_percent = models.PositiveSmallIntegerField(
        _("gold share in percent"),
        default=0,
        validators=[MaxValueValidator(50)],
        help_text=_("How much of what a labeler is handed has a known answer. Labelers cannot tell which."),
    )
    gold_minimum = models.PositiveSmallIntegerField(
        _("gold minimum"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("How many known answers a labeler must have met before their accuracy is evaluated."),
    )
    gold_pause_below = models.PositiveSmallIntegerField(
        _("pause below accuracy in percent"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_(
            "A labeler whose accuracy is surely below this gets no more work here until somebody looks; "
            "empty pauses nobody."
        ),
    )
    consensus_method = models.CharField(
        _("consensus"), max_length=14, choices=Consensus.choices, default=Consensus.BRADLEY_TERRY
    )
    rating_axes = models.JSONField(
        _("rating axes"),
        default=list,
        blank=True,
        help_text=_("What labelers rate every response on, from 1 to 7, such as helpfulness."),
    )
    offers_chat = models.BooleanField(
        _("offers a chat"), default=False, help_text=_("People may talk to the promoted model.")
    )
    chat_allows_guests = models.BooleanField(
        _("chat without an account"), default=False, help_text=_("Whoever finds the page may chat.")
    )
    chat_compares_percent = models.PositiveSmallIntegerField(
        _("chat: two answers, in percent"),
        default=10,
        validators=[MaxValueValidator(100)],
        help_text=_("The share of messages that get two answers, of which the user picks the better one."),
    )
    asks_strength = models.BooleanField(
        _("asks for strength"),
        default=False,
        help_text=_("Of two responses, labelers say on seven steps how much better one is."),
    )
    asks_flags = models.BooleanField(
        _("asks for flags"), default=False, help_text=_("Labelers may mark what is wrong with a response.")
    )
    asks_spans = models.BooleanField(
        _("asks for passages"),
        default=False,
        help_text=_("Labelers may mark the passage of a response that a flag is about."),
    )
    rationale = models.CharField(
        _("reason for the order"),
        max_length=9,
        choices=Rationale.choices,
        default=Rationale.NOT_ASKED,
    )
    asks_edit = models.BooleanField(
        _("asks for an edit"), default=False, help_text=_("Labelers may improve the best response.")
    )
    correction_minutes = models.PositiveIntegerField(
        _("correction window in minutes"),
        default=1440,
        help_text=_("How long labelers may correct a ranking that they handed in; 0 means not at all."),
    )
    checklist = models.JSONField(
        _("checklist"),
        default=list,
        blank=True,
        help_text=_("What to look at before a demonstration is handed in: a list of short sentences."),
    )
    offers_suggestions = models.BooleanField(
        _("offers suggestions"),
        default=False,
        help_text=_(
            "Who writes a demonstration may ask for a response that a model gave; it is marked in the data."
        ),
    )
    practice_to_pass = models.PositiveSmallIntegerField(
        _("practice to pass"),
        default=0,
        validators=[MaxValueValidator(50)],
        help_text=_("How many practice items a labeler must pass before the first real one."),
    )
    scans_for_personal_data = models.BooleanField(
        _("scans for personal data"),
        default=False,
        help_text=_("Imported prompts with personal data wait for a researcher before anybody sees them."),
    )
    retention_days = models.PositiveIntegerField(
        _("retention in days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("After so many days contributions are no longer tied to a person; empty keeps the tie."),
    )
    license = models.CharField(
        _("licence"),
        max_length=80,
        blank=True,
        help_text=_("Of the data made here, as an SPDX identifier; stands on every dataset card."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(name="campaign_overlap_1_to_9", condition=Q(overlap__range=(1, 9))),
            models.CheckConstraint(
                name="campaign_held_out_at_most_90", condition=Q(held_out_percent__range=(0, 90))
            ),
            models.CheckConstraint(
                name="campaign_gold_at_most_half", condition=Q(gold_percent__range=(0, 50))
            ),
            models.CheckConstraint(
                name="campaign_extra_overlap_at_most_8", condition=Q(extra_overlap__range=(0, 8))
            ),
            models.CheckConstraint(name="campaign_lease_positive", condition=Q(lease_minutes__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name


class GuidelineQuerySet(models.QuerySet["Guideline"]):
    def with_acknowledgement(self, labeler: Person) -> GuidelineQuerySet:
        """With when the labeler acknowledged it, or None."""
        read = Acknowledgement.objects.filter(guideline=OuterRef("pk"), labeler=labeler)
        return self.annotate(acknowledged_at=Subquery(read.values("acknowledged_at")[:1]))


class Guideline(models.Model):
    """One version of what labelers are told. Judgements keep the version they were made under."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="guidelines", verbose_name=_("campaign")
    )
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), help_text=_("Markdown."))
    published_at = models.DateTimeField(_("published"))

    objects = GuidelineQuerySet.as_manager()

    class Meta:
        verbose_name = _("guideline")
        verbose_name_plural = _("guidelines")
        constraints = [
            models.UniqueConstraint(name="guideline_version_once", fields=["campaign", "version"]),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.version}"


class Acknowledgement(models.Model):
    """A labeler has read this version of the guidelines."""

    guideline = models.ForeignKey(
        Guideline, models.CASCADE, related_name="acknowledgements", verbose_name=_("guideline")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("labeler")
    )
    acknowledged_at = models.DateTimeField(_("acknowledged"))

    class Meta:
        verbose_name = _("acknowledgement")
        verbose_name_plural = _("acknowledgements")
        constraints = [
            models.UniqueConstraint(name="acknowledgement_once", fields=["guideline", "labeler"]),
        ]

    def __str__(self) -> str:
        return f"{self.labeler}: {self.guideline}"

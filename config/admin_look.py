"""How the admin looks, and its menu; read into the settings as ``UNFOLD``."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "LOGIN": {"form": "config.sign_in.SignInForm"},
    "SITE_TITLE": "Rankwright",
    "SITE_HEADER": "Rankwright",
    "SITE_SUBHEADER": _("Rankings into better models"),
    "SITE_URL": "/app/",
    "SITE_SYMBOL": "format_list_numbered",
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    # The indigo of the labeler app; 500 is the one that is written in on a dark ground.
    "COLORS": {
        "primary": {
            "50": "oklch(97% 0.015 273)",
            "100": "oklch(94% 0.03 273)",
            "200": "oklch(88% 0.06 273)",
            "300": "oklch(82% 0.09 273)",
            "400": "oklch(77% 0.11 273)",
            "500": "oklch(72% 0.13 273)",
            "600": "oklch(48% 0.18 273)",
            "700": "oklch(42% 0.17 273)",
            "800": "oklch(36% 0.14 273)",
            "900": "oklch(31% 0.11 273)",
            "950": "oklch(24% 0.08 273)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": _("People"),
                "separator": True,
                "items": [
                    {
                        "title": _("Campaigns"),
                        "icon": "flag",
                        "link": reverse_lazy("admin:annotation_campaign_changelist"),
                    },
                    {
                        "title": _("Prompts"),
                        "icon": "chat",
                        "link": reverse_lazy("admin:annotation_prompt_changelist"),
                    },
                    {
                        "title": _("Imports"),
                        "icon": "upload_file",
                        "link": reverse_lazy("admin:annotation_import_changelist"),
                    },
                    {
                        "title": _("Demonstrations"),
                        "icon": "edit_note",
                        "link": reverse_lazy("admin:annotation_demonstration_changelist"),
                    },
                    {
                        "title": _("Candidate sets"),
                        "icon": "view_column",
                        "link": reverse_lazy("admin:annotation_candidateset_changelist"),
                    },
                    {
                        "title": _("Rankings"),
                        "icon": "format_list_numbered",
                        "link": reverse_lazy("admin:annotation_ranking_changelist"),
                    },
                    {
                        "title": _("Chat feedback"),
                        "icon": "thumbs_up_down",
                        "link": reverse_lazy("admin:annotation_feedbackuse_changelist"),
                    },
                    {
                        "title": _("Gold answers"),
                        "icon": "target",
                        "link": reverse_lazy("admin:annotation_gold_changelist"),
                    },
                    {
                        "title": _("Practice items"),
                        "icon": "school",
                        "link": reverse_lazy("admin:annotation_practiceitem_changelist"),
                    },
                    {
                        "title": _("Pauses"),
                        "icon": "pause_circle",
                        "link": reverse_lazy("admin:annotation_pause_changelist"),
                    },
                    {
                        "title": _("Reviews"),
                        "icon": "rate_review",
                        "link": reverse_lazy("admin:annotation_review_changelist"),
                    },
                    {
                        "title": _("People"),
                        "icon": "group",
                        "link": reverse_lazy("admin:annotation_person_changelist"),
                    },
                    {
                        "title": _("Invitations"),
                        "icon": "person_add",
                        "link": reverse_lazy("admin:annotation_invitation_changelist"),
                    },
                    {
                        "title": _("Cohorts"),
                        "icon": "groups",
                        "link": reverse_lazy("admin:annotation_cohort_changelist"),
                    },
                    {
                        "title": _("Voided work"),
                        "icon": "history_toggle_off",
                        "link": reverse_lazy("admin:annotation_void_changelist"),
                    },
                    {
                        "title": _("Consents"),
                        "icon": "handshake",
                        "link": reverse_lazy("admin:annotation_consent_changelist"),
                    },
                    {
                        "title": _("Erasure requests"),
                        "icon": "person_remove",
                        "link": reverse_lazy("admin:annotation_erasurerequest_changelist"),
                    },
                ],
            },
            {
                "title": _("Machines"),
                "separator": True,
                "items": [
                    {
                        "title": _("Snapshots"),
                        "icon": "inventory_2",
                        "link": reverse_lazy("admin:trainer_snapshot_changelist"),
                    },
                    {
                        "title": _("Exports"),
                        "icon": "ios_share",
                        "link": reverse_lazy("admin:trainer_export_changelist"),
                    },
                    {
                        "title": _("Runs"),
                        "icon": "play_circle",
                        "link": reverse_lazy("admin:trainer_run_changelist"),
                        "active": lambda request: (
                            "/trainer/run/" in request.path and not request.path.endswith("/loop/")
                        ),
                    },
                    {
                        "title": _("Run the whole loop"),
                        "icon": "all_inclusive",
                        "link": reverse_lazy("admin:trainer_run_loop"),
                    },
                    {
                        "title": _("Pipelines"),
                        "icon": "account_tree",
                        "link": reverse_lazy("admin:trainer_pipeline_changelist"),
                    },
                    {
                        "title": _("Nodes"),
                        "icon": "dns",
                        "link": reverse_lazy("admin:trainer_node_changelist"),
                    },
                    {
                        "title": _("Arenas"),
                        "icon": "stadium",
                        "link": reverse_lazy("admin:trainer_arena_changelist"),
                    },
                    {
                        "title": _("Checkpoints"),
                        "icon": "deployed_code",
                        "link": reverse_lazy("admin:trainer_checkpoint_changelist"),
                    },
                    {
                        "title": _("Promotions"),
                        "icon": "verified",
                        "link": reverse_lazy("admin:trainer_promotion_changelist"),
                    },
                    {
                        "title": _("Promotion rules"),
                        "icon": "rule",
                        "link": reverse_lazy("admin:trainer_gaterule_changelist"),
                    },
                    {
                        "title": _("Sampled completions"),
                        "icon": "forum",
                        "link": reverse_lazy("admin:trainer_sampledcompletion_changelist"),
                    },
                    {
                        "title": _("Synthetic rows"),
                        "icon": "smart_toy",
                        "link": reverse_lazy("admin:trainer_syntheticrow_changelist"),
                    },
                ],
            },
        ],
    },
}

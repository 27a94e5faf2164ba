from django.urls import path

from annotation.api import (
    assignments,
    campaigns,
    consents,
    demonstrations,
    own_data,
    rankings,
    reviews,
    session,
)

urlpatterns = [
    path("me", session.Me.as_view()),
    path("me/data", own_data.OwnData.as_view()),
    path("me/contributions", own_data.OwnContributions.as_view()),
    path("me/erasure", own_data.OwnErasure.as_view()),
    path("session", session.Session.as_view()),
    path("campaigns", campaigns.Campaigns.as_view()),
    path("campaigns/<int:campaign_id>/guideline", campaigns.CampaignGuideline.as_view()),
    path("campaigns/<int:campaign_id>/consent", consents.CampaignConsent.as_view()),
    path("campaigns/<int:campaign_id>/assignments", assignments.ClaimAssignments.as_view()),
    path("assignments/<uuid:key>/ranking", rankings.SubmitRanking.as_view()),
    path("assignments/<uuid:key>/corrections", rankings.CorrectRanking.as_view()),
    path("campaigns/<int:campaign_id>/rankings", rankings.OwnRankings.as_view()),
    path("assignments/<uuid:key>/skip", assignments.SkipAssignment.as_view()),
    path("assignments/<uuid:key>/heartbeat", assignments.ExtendAssignment.as_view()),
    path("campaigns/<int:campaign_id>/demonstrations", demonstrations.ClaimDemonstration.as_view()),
    path("demonstrations/<int:demonstration_id>/draft", demonstrations.SaveDraft.as_view()),
    path("demonstrations/<int:demonstration_id>/submission", demonstrations.SubmitDemonstration.as_view()),
    path("demonstrations/<int:demonstration_id>/review", reviews.ReviewDemonstration.as_view()),
    path("reviews", reviews.Reviews.as_view()),
    path("campaigns/<int:campaign_id>/reviews", reviews.ClaimReview.as_view()),
    path("campaigns/<int:campaign_id>/adjudications", reviews.ClaimAdjudications.as_view()),
    path("assignments/<uuid:key>/orders", reviews.LabelersOrders.as_view()),
]

from django.urls import path

from trainer.api import runs

urlpatterns = [
    path("runs", runs.StartRun.as_view()),
    path("runs/<int:run_id>/resume", runs.ResumeRun.as_view()),
    path("runs/<int:run_id>/live", runs.RunLive.as_view(), name="run-live"),
]

import random
from typing import Any

from django.contrib.auth import login
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from annotation.actions.chat_feedback import (
    MOST_BETTER,
    MOST_NOTE,
    decide_between,
    give_thumb,
    take_thumb_back,
    write_better_answer,
)
from annotation.actions.chats import (
    begin_answers,
    begin_chat,
    consent_to_training,
    create_guest,
    end_abandoned_answers,
    send_message,
    stop_answer,
)
from annotation.api.access import find, find_campaign, person
from annotation.api.chat_stream import written
from annotation.api.session import PersonOutput
from annotation.models import Campaign, Chat, ChatConsent, ChatMessage, Person, SideBySide

CHATS_LISTED = 200


class ChatCampaignOutput(serializers.Serializer[Any]):
    """A campaign whose model one may talk to."""

    id = serializers.IntegerField(source="campaign.id")
    name = serializers.CharField(source="campaign.name")
    description = serializers.CharField(source="campaign.description")
    allows_guests = serializers.BooleanField(source="campaign.chat_allows_guests")
    allows_training = serializers.BooleanField(
        allow_null=True, help_text="What whoever asks said of it; null where they were not asked yet."
    )


class ChatTrainingBody(serializers.Serializer[Any]):
    allows_training = serializers.BooleanField()


class GuestInput(serializers.Serializer[Any]):
    campaign = serializers.IntegerField(min_value=1)


class ThumbOutput(serializers.Serializer[Any]):
    is_up = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()


class ChatMessageOutput(serializers.ModelSerializer[ChatMessage]):
    """Which model wrote it is nowhere in it."""

    follows = serializers.PrimaryKeyRelatedField[ChatMessage](
        source="parent", read_only=True, allow_null=True
    )
    thumb = ThumbOutput(read_only=True, allow_null=True, default=None)
    better_answer = serializers.CharField(
        source="better_answer.text",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="What the user would rather have read.",
    )

    class Meta:
        model = ChatMessage
        fields = ["id", "follows", "role", "origin", "status", "text", "created_at", "thumb", "better_answer"]
        read_only_fields = fields


class SideBySideOutput(serializers.ModelSerializer[SideBySide]):
    left = serializers.IntegerField(source="left_id")
    right = serializers.IntegerField(source="right_id")
    verdict = serializers.SerializerMethodField(help_text="Null until the user says it.")

    class Meta:
        model = SideBySide
        fields = ["id", "left", "right", "verdict"]

    @extend_schema_field(serializers.ChoiceField(choices=SideBySide.Verdict.choices, allow_null=True))
    def get_verdict(self, pair: SideBySide) -> str | None:
        return pair.verdict or None


class ChatOutput(serializers.ModelSerializer[Chat]):
    campaign = serializers.IntegerField(source="campaign_id")

    class Meta:
        model = Chat
        fields = ["id", "campaign", "title", "created_at", "updated_at"]
        read_only_fields = fields


class WholeChatOutput(ChatOutput):
    messages = serializers.SerializerMethodField()
    side_by_sides = serializers.SerializerMethodField()

    class Meta(ChatOutput.Meta):
        fields = [*ChatOutput.Meta.fields, "messages", "side_by_sides"]

    @extend_schema_field(ChatMessageOutput(many=True))
    def get_messages(self, chat: Chat) -> Any:
        rows = chat.messages.select_related("thumb", "better_answer").order_by("pk")
        return ChatMessageOutput(rows, many=True).data

    @extend_schema_field(SideBySideOutput(many=True))
    def get_side_by_sides(self, chat: Chat) -> Any:
        return SideBySideOutput(SideBySide.objects.filter(left__chat=chat).order_by("pk"), many=True).data


class ChatTitleInput(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200)


class MessageInput(serializers.Serializer[Any]):
    idempotency_key = serializers.UUIDField()
    # Its length and its signs are for the action to judge, in words of its own.
    text = serializers.CharField(trim_whitespace=False, allow_blank=True)
    follows = serializers.IntegerField(allow_null=True, default=None, help_text="The answer it follows.")
    edits = serializers.IntegerField(allow_null=True, default=None, help_text="The message it replaces.")


class NewMessagesOutput(serializers.Serializer[Any]):
    messages = ChatMessageOutput(many=True)
    side_by_side = SideBySideOutput(allow_null=True)


class ThumbInput(serializers.Serializer[Any]):
    is_up = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField(max_length=40), max_length=10, default=list)
    note = serializers.CharField(max_length=MOST_NOTE, allow_blank=True, default="")


class BetterAnswerInput(serializers.Serializer[Any]):
    text = serializers.CharField(
        max_length=MOST_BETTER, allow_blank=True, trim_whitespace=False, help_text="Empty takes it back."
    )


class VerdictInput(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=SideBySide.Verdict.choices)


class GuestThrottle(AnonRateThrottle):
    """New guests of one address."""

    rate = "20/hour"


class ChatView(APIView):
    # Guests as well: it is all that they may do.
    permission_classes = [IsAuthenticated]


class ChatCampaigns(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="listChatCampaigns", responses=ChatCampaignOutput(many=True))
    def get(self, request: Request) -> Response:
        offered = Campaign.objects.filter(offers_chat=True).order_by("pk")
        asker = request.user if isinstance(request.user, Person) else None
        offered = offered.visible_to(asker) if asker else offered.filter(cohorts=None)
        if asker is None or asker.is_guest:
            offered = offered.filter(chat_allows_guests=True)
        said = dict(ChatConsent.objects.filter(person=asker).values_list("campaign", "allows_training"))
        body: Any = ChatCampaignOutput(
            [{"campaign": campaign, "allows_training": said.get(campaign.pk)} for campaign in offered],
            many=True,
        ).data
        return Response(body)


# DRF asks for the CSRF token only of people who are signed in; becoming a guest needs it as well.
@method_decorator(csrf_protect, name="dispatch")
class Guests(APIView):
    permission_classes = [AllowAny]
    throttle_classes = [GuestThrottle]

    @extend_schema(operation_id="becomeGuest", request=GuestInput, responses={201: PersonOutput})
    def post(self, request: Request) -> Response:
        body = GuestInput(data=request.data)
        body.is_valid(raise_exception=True)
        guest = create_guest(
            campaign=find(Campaign.objects.filter(cohorts=None), body.validated_data["campaign"])
        )
        login(request._request, guest, backend="django.contrib.auth.backends.ModelBackend")
        return Response(PersonOutput(guest).data, status=status.HTTP_201_CREATED)


class ChatTraining(ChatView):
    @extend_schema(operation_id="consentToChatTraining", request=ChatTrainingBody, responses=ChatTrainingBody)
    def put(self, request: Request, campaign_id: int) -> Response:
        body = ChatTrainingBody(data=request.data)
        body.is_valid(raise_exception=True)
        consent = consent_to_training(
            campaign=find(Campaign.objects.filter(offers_chat=True), campaign_id),
            person=person(request),
            allows=body.validated_data["allows_training"],
            now=timezone.now(),
        )
        return Response(ChatTrainingBody(consent).data)


class Chats(ChatView):
    @extend_schema(operation_id="listChats", responses=ChatOutput(many=True))
    def get(self, request: Request, campaign_id: int) -> Response:
        mine = Chat.objects.filter(person=person(request), campaign=campaign_id).exclude(title="")
        body: Any = ChatOutput(mine.order_by("-updated_at", "-pk")[:CHATS_LISTED], many=True).data
        return Response(body)

    @extend_schema(operation_id="beginChat", request=None, responses={201: ChatOutput})
    def post(self, request: Request, campaign_id: int) -> Response:
        campaign = find_campaign(request, campaign_id)
        chat = begin_chat(campaign=campaign, person=person(request), now=timezone.now())
        return Response(ChatOutput(chat).data, status=status.HTTP_201_CREATED)


class OneChat(ChatView):
    @extend_schema(operation_id="getChat", responses=WholeChatOutput)
    def get(self, request: Request, chat_id: int) -> Response:
        end_abandoned_answers(now=timezone.now())
        return Response(WholeChatOutput(find(_chats(request), chat_id)).data)

    @extend_schema(operation_id="renameChat", request=ChatTitleInput, responses=ChatOutput)
    def patch(self, request: Request, chat_id: int) -> Response:
        body = ChatTitleInput(data=request.data)
        body.is_valid(raise_exception=True)
        chat = find(_chats(request), chat_id)
        chat.title = body.validated_data["title"]
        chat.save(update_fields=["title"])
        return Response(ChatOutput(chat).data)

    @extend_schema(operation_id="deleteChat", responses={204: None})
    def delete(self, request: Request, chat_id: int) -> Response:
        find(_chats(request), chat_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChatMessages(ChatView):
    @extend_schema(operation_id="sendMessage", request=MessageInput, responses={201: NewMessagesOutput})
    def post(self, request: Request, chat_id: int) -> Response:
        body = MessageInput(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        chat = find(_chats(request), chat_id)
        now = timezone.now()
        message = send_message(
            chat=chat,
            text=said["text"],
            follows=find(chat.messages.all(), said["follows"]) if said["follows"] else None,
            edits=find(chat.messages.all(), said["edits"]) if said["edits"] else None,
            key=said["idempotency_key"],
            now=now,
        )
        answers = begin_answers(message=message, now=now, rng=random.SystemRandom())
        return _new_messages([message, *answers])


class AnswerAgain(ChatView):
    @extend_schema(operation_id="answerAgain", request=None, responses={201: NewMessagesOutput})
    def post(self, request: Request, message_id: int) -> Response:
        """Another answer to the same message, in the place of this one."""
        answer = find(_answers(request), message_id)
        assert answer.parent  # answers have one
        return _new_messages(
            begin_answers(message=answer.parent, now=timezone.now(), rng=random.SystemRandom(), again=True)
        )


class AnswerStream(ChatView):
    @extend_schema(
        operation_id="streamAnswer",
        description="The answer as it is written, as server-sent events; asked for once.",
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
    )
    def get(self, request: Request, message_id: int) -> StreamingHttpResponse:
        return written(find(_answers(request), message_id), now=timezone.now())


class StopAnswer(ChatView):
    @extend_schema(operation_id="stopAnswer", request=None, responses=ChatMessageOutput)
    def post(self, request: Request, message_id: int) -> Response:
        answer = find(_answers(request), message_id)
        stop_answer(answer, now=timezone.now())
        answer.refresh_from_db()
        return Response(ChatMessageOutput(answer).data)


class AnswerThumb(ChatView):
    @extend_schema(operation_id="giveThumb", request=ThumbInput, responses=ThumbOutput)
    def put(self, request: Request, message_id: int) -> Response:
        body = ThumbInput(data=request.data)
        body.is_valid(raise_exception=True)
        answer = find(_answers(request), message_id)
        thumb = give_thumb(answer=answer, now=timezone.now(), **body.validated_data)
        return Response(ThumbOutput(thumb).data)

    @extend_schema(operation_id="takeThumbBack", responses={204: None})
    def delete(self, request: Request, message_id: int) -> Response:
        take_thumb_back(answer=find(_answers(request), message_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class BetterAnswers(ChatView):
    @extend_schema(operation_id="writeBetterAnswer", request=BetterAnswerInput, responses=BetterAnswerInput)
    def put(self, request: Request, message_id: int) -> Response:
        body = BetterAnswerInput(data=request.data)
        body.is_valid(raise_exception=True)
        answer = find(_answers(request), message_id)
        better = write_better_answer(answer=answer, now=timezone.now(), **body.validated_data)
        return Response({"text": better.text if better else ""})


class Verdicts(ChatView):
    @extend_schema(operation_id="decideBetween", request=VerdictInput, responses=SideBySideOutput)
    def put(self, request: Request, pair_id: int) -> Response:
        body = VerdictInput(data=request.data)
        body.is_valid(raise_exception=True)
        pair = find(SideBySide.objects.filter(left__chat__person=person(request)), pair_id)
        decided = decide_between(pair=pair, now=timezone.now(), **body.validated_data)
        return Response(SideBySideOutput(decided).data)


def _chats(request: Request) -> QuerySet[Chat]:
    return Chat.objects.filter(person=person(request)).select_related("campaign", "person")


def _answers(request: Request) -> QuerySet[ChatMessage]:
    mine = ChatMessage.objects.filter(chat__person=person(request), role=ChatMessage.Role.ASSISTANT)
    return mine.select_related(
        "chat__campaign", "chat__person", "parent__chat__campaign", "parent__chat__person"
    )


def _new_messages(messages: list[ChatMessage]) -> Response:
    pair = SideBySide.objects.filter(left__in=messages, right__in=messages).first()
    body = NewMessagesOutput({"messages": messages, "side_by_side": pair}).data
    return Response(body, status=status.HTTP_201_CREATED)

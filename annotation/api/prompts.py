from rest_framework import serializers

from annotation.models import Prompt


class MessageOutput(serializers.Serializer[dict[str, str]]):
    role = serializers.ChoiceField(choices=["system", "user", "assistant"])
    content = serializers.CharField()


class PromptOutput(serializers.ModelSerializer[Prompt]):
    messages = MessageOutput(many=True)

    class Meta:
        model = Prompt
        fields = ["id", "kind", "language", "messages"]

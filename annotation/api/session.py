from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.suspension import suspended_person
from annotation.api.access import person
from annotation.api.preferences import PreferencesOutput
from annotation.errors import BadInput, Suspended
from annotation.models import Person


class BadCredentials(BadInput):
    code = "bad_credentials"


class PersonOutput(serializers.ModelSerializer[Person]):
    display_name = serializers.CharField(read_only=True)
    preferences = PreferencesOutput(read_only=True)

    class Meta:
        model = Person
        fields = ["id", "username", "display_name", "role", "preferences"]
        read_only_fields = fields


class SignInInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class Me(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="getMe", responses=PersonOutput)
    def get(self, request: Request) -> Response:
        return Response(PersonOutput(person(request)).data)


# DRF asks for the CSRF token only of people who are signed in; signing in needs it as well.
@method_decorator(csrf_protect, name="dispatch")
class Session(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="signIn", request=SignInInput, responses=PersonOutput)
    def post(self, request: Request) -> Response:
        body = SignInInput(data=request.data)
        body.is_valid(raise_exception=True)
        found = authenticate(request._request, **body.validated_data)
        if not isinstance(found, Person):
            told = body.validated_data
            if suspended_person(name=told["username"], password=told["password"]):
                raise Suspended
            raise BadCredentials(_("The user name or the password is wrong."))
        login(request._request, found)
        return Response(PersonOutput(found).data)

    @extend_schema(operation_id="signOut", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)

"""The admin's own way in. Not among its pages: the site asks for this form before any page may register."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from unfold.forms import AuthenticationForm

from annotation.actions.suspension import suspended_person


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # the theme ships no types
    def get_invalid_login_error(self) -> ValidationError:
        """Whoever is suspended and knows the password is told so; nobody else learns who is."""
        if suspended_person(name=self.cleaned_data["username"], password=self.cleaned_data["password"]):
            words = _(
                "Your account is suspended. Ask another researcher of your project why, and whether you "
                "may go on."
            )
            return ValidationError(words, code="suspended")
        error: ValidationError = super().get_invalid_login_error()
        return error

"""Who is asking."""

from config.security import client_address

THROUGH_A_PROXY = {"HTTP_X_FORWARDED_FOR": "192.0.2.1, 203.0.113.9", "REMOTE_ADDR": "172.20.0.9"}


class TestTheAddressOfAVisitor:
    def test_is_what_the_proxy_saw_whatever_the_visitor_says(self, rf, settings):
        settings.HTTPS = True

        assert client_address(rf.get("/", **THROUGH_A_PROXY)) == "203.0.113.9"

    def test_is_the_connection_itself_where_there_is_no_proxy(self, rf, settings):
        settings.HTTPS = False

        assert client_address(rf.get("/", **THROUGH_A_PROXY)) == "172.20.0.9"

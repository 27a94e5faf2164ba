"""From a researcher's form to the first task of somebody who was not there before."""

import re

from playwright.sync_api import expect

from annotation.models import Cohort, Invitation, Person
from tests.browser.test_ranking import submit_with
from tests.browser.visitor import KNOW_THE_TOUR

PASSWORD = "three blue boats"


class TestAnInvitation:
    def test_leads_a_stranger_to_their_first_ranking(self, visit, kitchen, rhea):
        cooks = Cohort.objects.create(name="Cooks")
        cooks.campaigns.add(kitchen)
        Person.objects.filter(pk=rhea.pk).update(is_staff=True)
        researcher, vera = visit(), visit()

        researcher.enter(rhea, "/admin/annotation/invitation/invite/")
        researcher.page.get_by_label("Whom").fill("Vera")
        researcher.page.get_by_label("Cooks").check()
        assert researcher.barriers(".people-form") == []
        researcher.page.get_by_role("button", name="Make the links").click()
        link = researcher.page.get_by_label("Vera").input_value()
        assert researcher.barriers(".people") == []

        vera.expect_console(r"403 \(Forbidden\)|400 \(Bad Request\)")
        vera.go(link.removeprefix(vera.address))
        vera.page.get_by_label("User name").fill("vera")
        vera.page.get_by_label("Password", exact=True).fill("short")
        vera.page.get_by_role("button", name="Make my account").click()
        expect(vera.page.get_by_role("alert")).to_contain_text("too short")
        assert vera.barriers() == []
        vera.page.get_by_label("Password", exact=True).fill(PASSWORD)
        vera.page.get_by_role("button", name="Make my account").click()
        expect(vera.page).to_have_url(re.compile(r"/app/$"))
        vera.page.evaluate(KNOW_THE_TOUR)
        vera.go(f"/app/rank/{kitchen.pk}")
        expect(vera.page.get_by_role("button", name="Submit")).to_be_visible()
        vera.press("1", "2", "3")
        ranking = submit_with(vera, lambda: vera.press("Enter"))

        account = Person.objects.get(username="vera")
        assert ranking.labeler == account
        assert Invitation.objects.get().accepted_by == account

    def test_that_was_used_says_so(self, visit, rhea):
        visitor = visit(locale="zh-CN")
        visitor.expect_console(r"40[39] \((Forbidden|Conflict)\)")

        visitor.go("/app/join#made-up")

        expect(visitor.page.get_by_role("alert")).to_contain_text("链接")
        assert visitor.barriers() == []

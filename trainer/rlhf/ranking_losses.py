"""What rankings teach, as pure functions of scores.

N completions in R rankings, with P comparisons, Q ties and C choices among them. A choice is a completion and
all that rank below it, M of them at most.

Every loss is a *sum* of weighted terms, in nats. The terms of a ranking share its weight evenly: 1/C(K,2)
each for the comparisons of a strict order of K (InstructGPT 2022, eq. 1). The caller divides by the weight of
all rankings of the optimizer step, over all devices and micro-batches. So neither the loss nor its gradient
knows how the step was split.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def comparison_loss(
    scores: Tensor, chosen: Tensor, rejected: Tensor, weights: Tensor, margin: Tensor | float = 0.0
) -> Tensor:
    """Bradley–Terry: Σ −w log σ(r_w − r_l − m), over all comparisons (InstructGPT 2022, eq. 1).

    scores    (N,)  reward model output, one per completion
    chosen    (P,)  index into scores of the preferred completion
    rejected  (P,)  index into scores of the other one
    weights   (P,)  the ranking's weight / its comparisons
    margin    ()    or (P,): by how much the winner is to lead (Llama 2, 2023, eq. 2)
    """
    margins = scores[chosen] - scores[rejected]
    return -(weights * F.logsigmoid(margins - margin)).sum()


def plackett_luce_loss(scores: Tensor, winners: Tensor, below: Tensor, weights: Tensor) -> Tensor:
    """Plackett–Luce (Plackett 1975): each completion is the first choice from itself and all below it.

    A strict order 1, …, K has the probability Π_k exp(r_k) / Σ_{j≥k} exp(r_j). With L_i = log Σ_{j below i}
    exp(r_j), the suffix below i, each factor is σ(r_i − L_i): Bradley–Terry against everything worse at once.

    Members of a tied tier are each chosen against what is below the tier, and are absent from each other's
    choice: nothing pulls them apart, and nothing together. So a tie counts as it does among comparisons, and
    the last tier, unacceptable or not, adds nothing. (Breslow's likelihood leaves them in, which pulls tied
    scores together, even in the last tier; unacceptable answers need not be equally bad.) For strict orders
    this is the likelihood; with ties it is a product of such choices, not a distribution over partitions.

    scores   (N,)
    winners  (C,)    rows of the scores with something below them
    below    (C, M)  rows of the scores that rank below each winner, then −1
    weights  (C,)    the ranking's weight / its choices
    """
    suffix = scores[below].masked_fill(below < 0, -torch.inf).logsumexp(-1)  # (C,)
    return -(weights * F.logsigmoid(scores[winners] - suffix)).sum()


def davidson_logprobs(margins: Tensor, log_nu: Tensor) -> Tensor:
    """(3, ·) of win, tie and loss at a score difference (Davidson 1970), with π = exp(r):

    P(win) = π_i / D, P(tie) = ν √(π_i π_j) / D, P(loss) = π_j / D, where D = π_i + π_j + ν √(π_i π_j).
    At ν → 0 this is Bradley–Terry; given no tie, it always is.

    margins  (·)  r_i − r_j
    log_nu   ()   log ν
    """
    # All three divided by √(π_i π_j).
    return torch.stack([margins / 2, log_nu.expand_as(margins), -margins / 2]).log_softmax(0)


def rao_kupper_logprobs(margins: Tensor, log_theta: Tensor) -> Tensor:
    """(3, ·) of win, tie and loss at a score difference (Rao and Kupper 1967), with π = exp(r), θ ≥ 1:

    P(win) = π_i / (π_i + θ π_j), P(loss) = π_j / (π_j + θ π_i), P(tie) = (θ² − 1) P(win) P(loss).
    A winner is told only beyond the threshold log θ; at θ → 1 this is Bradley–Terry.

    margins    (·)  r_i − r_j
    log_theta  ()   log θ ≥ 0
    """
    win, loss = F.logsigmoid(margins - log_theta), F.logsigmoid(-margins - log_theta)
    return torch.stack([win, win + loss + torch.expm1(2 * log_theta).log(), loss])


def tie_strength(tie_logit: Tensor) -> Tensor:
    """log ν of Davidson from the logit of the chance that two equal scores are tied.

    With equal scores Davidson ties with probability ν / (2 + ν), Rao–Kupper with (θ − 1) / (θ + 1): for the
    same chance ν = θ − 1 = 2 exp(tie_logit). One free number serves both.
    """
    return tie_logit + torch.log(torch.full_like(tie_logit, 2.0))


def tie_threshold(tie_logit: Tensor) -> Tensor:
    """log θ of Rao–Kupper, likewise."""
    return F.softplus(tie_strength(tie_logit))


def centring_penalty(scores: Tensor, chosen: Tensor, rejected: Tensor, weights: Tensor) -> Tensor:
    """Σ w (r_w + r_l)² over the comparisons (Eisenstein et al. 2023): keeps the scores' free constant near 0.

    Of the pair's sum, as published, not of the ranking's mean. Shapes as in ``comparison_loss``.
    """
    return (weights * (scores[chosen] + scores[rejected]) ** 2).sum()


def implicit_rewards(logprobs: Tensor, ref_logprobs: Tensor, beta: float) -> Tensor:
    """β log(π / π_ref), a policy's own score of a completion, up to a constant of the prompt
    (Rafailov et al. 2023, eq. 5). Both (N,): log-probabilities of whole completions."""
    return beta * (logprobs - ref_logprobs)


def dpo_loss(
    logprobs: Tensor, ref_logprobs: Tensor, chosen: Tensor, rejected: Tensor, weights: Tensor, beta: float
) -> Tensor:
    """DPO (Rafailov et al. 2023, eq. 7): the comparisons' loss on implicit rewards. Shapes as there."""
    return comparison_loss(implicit_rewards(logprobs, ref_logprobs, beta), chosen, rejected, weights)


def listwise_dpo_loss(
    logprobs: Tensor, ref_logprobs: Tensor, winners: Tensor, below: Tensor, weights: Tensor, beta: float
) -> Tensor:
    """DPO under Plackett–Luce (Rafailov et al. 2023, appendix A.3). Shapes as in ``plackett_luce_loss``."""
    return plackett_luce_loss(implicit_rewards(logprobs, ref_logprobs, beta), winners, below, weights)


def kto_loss(rewards: Tensor, baseline: float, signs: Tensor, weights: Tensor) -> Tensor:
    """Σ w (1 − σ(± (r − β z₀))), as a sum (Ethayarajh et al. 2024, eq. 8): what an answer gains or loses
    beyond the usual counts less and less, as people feel it.

    rewards   (N,)  implicit rewards, β log(π / π_ref)
    baseline  β z₀, the usual reward
    signs     (N,)  1 where the answer was called good, −1 where bad
    weights   (N,)
    """
    return (weights * torch.sigmoid(-signs * (rewards - baseline))).sum()

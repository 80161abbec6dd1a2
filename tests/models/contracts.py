"""What every method promises, as checks that say what to do: run over every file of conf/model by test_contracts.py.

A check takes a `Subject` and raises `BrokenContractError`. `broken` runs all of them, for a class that one is writing:

    start, trained = MyNet().eval(), MyNet().eval()  # give the second one weights that are nowhere zero
    print(broken(Subject(start, trained)))
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.restorer import Restorer

RATE_HZ = 4000
LENGTHS = (0, 1, 2, 6, 63, 100, 256)
"""Above the shortest one: 1, 2, 3, 7, 64, 101 and 257 from one sample on; odd and even, primes and a power of two."""
VERY_QUIET = 1e-4
"""Of a signal's level: a floor such as that of a noise estimate is above it, as is a bias."""


class BrokenContractError(AssertionError):
    """A class does not do what it declares; the message says what to change."""


@dataclass(frozen=True)
class Subject:
    """A network to be checked, in evaluation mode.

    Attributes:
        start: as it is before any training.
        trained: the same with weights that are nowhere zero.
        method: what restores with `trained`, if it does more than call it.
    """

    start: nn.Module
    trained: nn.Module
    method: Callable[[Tensor], Tensor] | None = None

    @property
    def name(self) -> str:
        return type(self.trained).__name__

    @property
    def ways(self) -> list[Callable[[Tensor], Tensor]]:
        return [applied(self.trained)] if self.method is None else [applied(self.trained), self.method]

    @property
    def channels(self) -> int:
        return getattr(self.trained, "channels", None) or 1

    @property
    def shortest(self) -> int:
        return int(getattr(self.trained, "min_samples", 1))

    def signal(self, batch: int = 1, samples: int = 3000) -> Tensor:
        return sounds(batch, self.channels, samples)


def applied(net: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a network as it is used: one that is told the clean signal, with half of the input as that."""
    told = getattr(net, "restore_with_clean", None)
    return net if told is None else lambda signal: told(signal, 0.5 * signal)


def band_limited(samples: int, seed: int = 1) -> Tensor:
    """Return sound below an eighth of the sample rate that swells and pauses, (1, 1, T)."""
    spectrum = torch.fft.rfft(torch.randn(samples, generator=torch.Generator().manual_seed(seed)))
    spectrum[samples // 8 :] = 0
    swell = 1.05 + torch.sin(2 * math.pi * torch.arange(samples) / (0.7 * RATE_HZ))
    return (0.1 * swell * torch.fft.irfft(spectrum, n=samples))[None, None]


def sounds(batch: int, channels: int, samples: int) -> Tensor:
    """Return different signals of different levels, (B, C, T)."""
    longest = max(samples, 3000)
    each = [band_limited(longest, seed) * (1 + seed / 4) for seed in range(1, batch * channels + 1)]
    return torch.cat(each).reshape(batch, channels, longest)[..., :samples]


def declares_itself(subject: Subject) -> None:
    """Hold that a network says what is true of it."""
    if not isinstance(subject.trained, Restorer):
        raise BrokenContractError(
            f"{subject.name} declares nothing of itself: derive it from models.restorer.Restorer, and set identity_at_start, "
            "level_free, channels, min_samples and reach_samples where the defaults do not hold"
        )
    try:
        reach = subject.trained.reach_samples
    except NotImplementedError as error:
        raise BrokenContractError(
            f"{subject.name} does not declare how far its outputs look: give it a property reach_samples (models.layers.reach "
            "counts it layer by layer; math.inf if every output depends on the whole signal)"
        ) from error
    if not reach >= 0:
        raise BrokenContractError(f"{subject.name}.reach_samples={reach} must be a number of samples, at least 0")


def starts_as_the_identity(subject: Subject) -> None:
    """Hold that a network is, or is not, the identity before any training, as it declares."""
    signal, declared = subject.signal(), getattr(subject.start, "identity_at_start", True)
    is_identity = torch.equal(applied(subject.start)(signal), signal)
    if declared and not is_identity:
        raise BrokenContractError(
            f"{subject.name} changes its input before any training: set the weights and biases of its last layer to zero and add "
            "its output to the input, or declare identity_at_start = False and name the published form in the docstring"
        )
    if is_identity and not declared:
        raise BrokenContractError(f"{subject.name} returns its input before any training: remove identity_at_start = False")


def takes_every_length(subject: Subject) -> None:
    """Hold that every length from the shortest one on comes back, and that a shorter signal is refused in a sentence."""
    for samples in (subject.shortest + more for more in LENGTHS):
        _require_same_shape(subject, (2, subject.channels, samples), "pad inside, and crop to the input's length")
    if subject.shortest > 1:
        shape = (2, subject.channels, subject.shortest - 1)
        _require_refused(subject, shape, "min_samples", subject.shortest)


def takes_declared_channels(subject: Subject) -> None:
    """Hold that any number of channels comes back, or just the declared one, and that others are refused in a sentence."""
    declared = getattr(subject.trained, "channels", None)
    for channels in (1, 2, 3):
        shape = (2, channels, subject.shortest + 99)
        if declared in (None, channels):
            fold = "treat each channel as an example (models.layers.mono_batch), or declare the number as channels"
            _require_same_shape(subject, shape, fold)
        else:
            _require_refused(subject, shape, "channels", declared)


def keeps_no_state(subject: Subject) -> None:
    """Hold that a result depends on the input alone: not on earlier calls, and not on the global random state."""
    signal, other = subject.signal(), 0.5 * subject.signal().flip(-1)
    for way in subject.ways:
        torch.manual_seed(1)
        first = way(signal)
        way(other)
        if not torch.equal(way(signal), first):
            raise BrokenContractError(
                f"{subject.name} restores the same signal differently the second time: keep no state between calls, switch "
                "dropout off in evaluation mode, and draw noise from a torch.Generator with a seed of its own"
            )


def keeps_examples_apart(subject: Subject) -> None:
    """Hold that an example is restored alike alone, in a batch, and at another place of it."""
    signal = subject.signal(batch=3)
    order = torch.tensor([2, 0, 1])
    advice = "take no statistics over the batch (mean, level, normalization) in evaluation mode"
    for way in subject.ways:
        together = way(signal)
        _require_close(way(signal[order]), together[order], f"{subject.name}: the order of a batch matters; {advice}")
        alone = torch.cat([way(example[None]) for example in signal])
        _require_close(alone, together, f"{subject.name}: an example depends on the others of its batch; {advice}")


def follows_the_level(subject: Subject) -> None:
    """Hold that f(a x) = a f(x) where it is declared, and only there."""
    signal, net = subject.signal(), applied(subject.trained)
    restored, quiet = net(signal), net(VERY_QUIET * signal) / VERY_QUIET
    holds = bool((quiet - restored).abs().max() < 1e-5 * restored.abs().max())
    declared = getattr(subject.trained, "level_free", False)
    if declared and not holds:
        raise BrokenContractError(
            f"{subject.name} restores quiet sound differently, and declares level_free: use no biases, no floors and no other "
            "fixed levels, or declare level_free = False"
        )
    if holds and not declared:
        raise BrokenContractError(f"{subject.name} restores every level alike: declare level_free = True")


def gives_float32_and_leaves_its_input(subject: Subject) -> None:
    """Hold that float32 comes out, and that the input is not written to."""
    for way in subject.ways:
        signal = subject.signal(batch=2, samples=subject.shortest + 499)
        before = signal.clone()
        restored = way(signal)
        if restored.dtype != torch.float32:
            raise BrokenContractError(f"{subject.name} gives {restored.dtype} for float32: return .float(), or keep the dtype")
        if not torch.equal(signal, before):
            raise BrokenContractError(f"{subject.name} changes its input in place: work on a copy")


CONTRACTS: tuple[Callable[[Subject], None], ...] = (
    declares_itself,
    starts_as_the_identity,
    takes_every_length,
    takes_declared_channels,
    keeps_no_state,
    keeps_examples_apart,
    follows_the_level,
    gives_float32_and_leaves_its_input,
)


def broken(subject: Subject) -> dict[str, str]:
    """Return what is wrong with a network, by the name of the contract; a check that cannot even run is broken too."""
    found = {}
    for contract in CONTRACTS:
        try:
            with torch.no_grad():
                contract(subject)
        except BrokenContractError as error:
            found[contract.__name__] = str(error)
        except Exception as error:
            found[contract.__name__] = f"{subject.name} fails on {RATE_HZ} Hz mono or stereo sound: {error!r}"
    return found


def _require_same_shape(subject: Subject, shape: tuple[int, ...], advice: str) -> None:
    for way in subject.ways:
        try:
            restored = way(sounds(*shape))
        except (ValueError, RuntimeError, IndexError) as error:
            raise BrokenContractError(f"{subject.name} does not take a signal of shape {shape} ({error!r}): {advice}") from error
        if restored.shape != shape:
            raise BrokenContractError(f"{subject.name} turns {shape} into {(*restored.shape,)}: {advice}")
        if not restored.isfinite().all():
            raise BrokenContractError(f"{subject.name} gives NaN or infinity for a signal of shape {shape}")


def _require_refused(subject: Subject, shape: tuple[int, ...], name: str, allowed: int) -> None:
    try:
        applied(subject.trained)(sounds(*shape))
    except ValueError as error:
        if str(allowed) in str(error):
            return
        raise BrokenContractError(f"{subject.name}: the refusal {str(error)!r} must name {name}={allowed}") from error
    except (RuntimeError, IndexError) as error:
        wanted = f"raise ValueError with a sentence that names {name}={allowed}"
        raise BrokenContractError(f"{subject.name} fails on a signal of shape {shape} with {error!r}: {wanted}") from error
    raise BrokenContractError(f"{subject.name} takes a signal of shape {shape} though it declares {name}={allowed}")


def _require_close(found: Tensor, expected: Tensor, text: str) -> None:
    difference = (found - expected).abs().amax() / expected.abs().amax()
    if not difference < 1e-4:
        raise BrokenContractError(f"{text} (a difference of {float(difference):.1e} of the peak)")

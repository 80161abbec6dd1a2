"""Chunked processing: invisible for whatever does not depend on where a chunk begins."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from models.streaming.chunking import Chunking
from models.streaming.overlap_add import OverlapAdd, apply_in_chunks, fade_in

CHUNK, OVERLAP = 400, 100
LENGTHS = [0, 1, 2, 97, 399, 400, 401, 499, 500, 699, 700, 701, 1009, 1300, 4001]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def process(
    function: Callable[[Tensor], Tensor], signal: Tensor, chunk: int = CHUNK, overlap: int = OVERLAP, grid: int = 1
) -> Tensor:
    """Send a whole signal through a stream as one block."""
    stream = OverlapAdd(function, Chunking(chunk, overlap, overlap // 4, grid))
    return torch.cat([stream.push(signal), stream.flush()], dim=-1)


def padded_convolutions(seed: int = 0) -> nn.Sequential:
    """Return a nonlinear network of receptive field +-12 that pads with zeros, as convolutional networks do."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [
            nn.Conv1d(1, 8, 9, padding=4),
            nn.Tanh(),
            nn.Conv1d(8, 8, 9, padding=4),
            nn.Tanh(),
            nn.Conv1d(8, 1, 9, padding=4),
        ]
    return nn.Sequential(*layers).requires_grad_(False)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("overlap", [0, 1, 2, 3, 100, 200])
def test_identity_is_exact(length: int, overlap: int) -> None:
    signal = noise(2, length)
    assert torch.equal(process(lambda chunk: chunk, signal, CHUNK, overlap), signal)


@pytest.mark.parametrize("length", LENGTHS)
def test_gain_is_exact_for_batches(length: int) -> None:
    signal = noise(3, 2, length)
    torch.testing.assert_close(process(lambda chunk: 0.3 * chunk, signal), 0.3 * signal, atol=1e-6, rtol=0)


@pytest.mark.parametrize("block", [1, 7, 100, 400, 1500])
def test_stream_does_not_depend_on_its_blocks(block: int) -> None:
    signal, network = noise(1, 1501), padded_convolutions()
    stream = OverlapAdd(network, Chunking(CHUNK, OVERLAP, OVERLAP // 4))
    parts = [stream.push(part) for part in signal.split(block, dim=-1)]
    torch.testing.assert_close(torch.cat([*parts, stream.flush()], dim=-1), process(network, signal))


def test_stream_can_be_used_again() -> None:
    stream = OverlapAdd(lambda chunk: 2 * chunk, Chunking(CHUNK, OVERLAP, OVERLAP // 4))
    for seed in (1, 2):
        signal = noise(2, 900, seed=seed)
        torch.testing.assert_close(torch.cat([stream.push(signal), stream.flush()], dim=-1), 2 * signal)


@pytest.mark.parametrize("length", LENGTHS)
def test_no_chunk_of_a_long_signal_is_short(length: int) -> None:
    lengths: list[int] = []

    def record(chunk: Tensor) -> Tensor:
        lengths.append(chunk.shape[-1])
        return chunk

    process(record, noise(1, length))
    assert lengths == [min(length, CHUNK)] * len(lengths)
    assert len(lengths) == (0 if length == 0 else 1 + max(0, -(-(length - CHUNK) // (CHUNK - OVERLAP))))


@pytest.mark.parametrize("length", [401, 699, 1300, 4001])
def test_zero_padded_network_has_no_seams(length: int) -> None:
    signal, network = noise(1, length), padded_convolutions()
    torch.testing.assert_close(process(network, signal), network(signal), atol=1e-6, rtol=0)


@pytest.mark.parametrize("length", [0, 1, 401, 700, 701, 747, 1300, 1301, 4001])
def test_strided_network_has_no_seams_when_chunks_start_on_its_grid(length: int) -> None:
    def decimate_and_hold(chunk: Tensor) -> Tensor:
        return chunk[..., ::16].repeat_interleave(16, dim=-1)[..., : chunk.shape[-1]]

    signal = noise(2, length)
    restored = process(decimate_and_hold, signal, 416, 96, grid=16)
    assert torch.equal(restored, decimate_and_hold(signal))


@pytest.mark.parametrize("margin", [0, 12, 30, 50])
@pytest.mark.parametrize("length", [401, 700, 701, 4001])
def test_only_a_margin_as_long_as_the_reach_hides_the_edges_of_chunks(margin: int, length: int) -> None:
    signal, network = noise(1, length), padded_convolutions()
    joined = apply_in_chunks(network, signal, Chunking(CHUNK, OVERLAP, margin))
    assert ((joined - network(signal)).abs().max() < 1e-6) == (margin >= 12)


@pytest.mark.parametrize("length", [0, 399, 400, 431, 432, 433, 720, 4001])
@pytest.mark.parametrize("block", [64, 4001])
def test_a_whole_signal_is_divided_like_a_stream(length: int, block: int) -> None:
    def judge_as_a_whole(chunk: Tensor) -> Tensor:
        return chunk * chunk.abs().sum()

    signal, chunking = noise(2, length), Chunking(416, 96, 24, 16)
    stream = OverlapAdd(judge_as_a_whole, chunking)
    parts = [stream.push(part) for part in signal.split(block, dim=-1)]
    streamed = torch.cat([*parts, stream.flush()], dim=-1)
    assert torch.equal(streamed, apply_in_chunks(judge_as_a_whole, signal, chunking))


def test_a_function_may_add_a_dimension() -> None:
    signal = noise(2, 1301)
    both = apply_in_chunks(lambda chunk: torch.stack([chunk, -chunk]), signal, Chunking(CHUNK, OVERLAP, 25))
    assert torch.equal(both, torch.stack([signal, -signal]))


def test_joints_are_no_louder_than_the_interior_when_chunks_disagree() -> None:
    generator = torch.Generator().manual_seed(3)

    def unsteady(chunk: Tensor) -> Tensor:
        return chunk + 0.1 * torch.randn(chunk.shape, generator=generator)

    signal = noise(1, 60 * 300 + 100)
    error = (process(unsteady, signal) - signal)[0, : 60 * 300]
    by_position = error.reshape(60, 300).square().mean(0).sqrt()
    joints, interior = by_position[25:75], by_position[100:]
    assert joints.mean() < interior.mean()
    assert joints.max() < 1.1 * interior.max()


def test_step_between_chunks_becomes_a_slope() -> None:
    offsets = iter([0.0, 1.0])
    restored = process(lambda chunk: chunk + next(offsets), torch.zeros(1, 700))[0]
    assert restored[:325].abs().max() == 0
    assert restored[375:].min() == 1
    assert restored.diff().max() < 0.04


def test_fades_sum_to_one() -> None:
    fade = fade_in(50)
    torch.testing.assert_close(fade + fade.flip(0), torch.ones(50, dtype=torch.float64))
    assert fade_in(2).tolist() == pytest.approx([0.1464466, 0.8535534])


def test_input_is_not_modified() -> None:
    signal = noise(2, 1000)
    before = signal.clone()
    process(torch.tanh, signal)
    assert torch.equal(signal, before)

"""What PyAV reads: the samples that were encoded, in step, in bounded memory, and a sentence without it."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import soundfile

import restore
from datamodules.audio.checks import AudioFileError, UnreadFormatError
from datamodules.audio.forms import Wish, form_of
from datamodules.audio.io import probe, read
from datamodules.audio.stream import read_blocks
from datamodules.sources.folder import FolderSource

LENGTH_SAMPLES = 100_000
LOSSLESS = [("a.m4a", "alac", "s16p"), ("a.wv", "wavpack", "s16p"), ("a.tta", "tta", "s16"), ("a.mka", "flac", "s16")]
LOSSY = [("a.m4a", "aac", "fltp"), ("a.aac", "aac", "fltp"), ("a.wma", "wmav2", "fltp"), ("a.webm", "libopus", "s16")]


def audio() -> np.ndarray:
    tone = 0.3 * np.sin(0.05 * np.arange(LENGTH_SAMPLES)) * np.linspace(0.2, 1, LENGTH_SAMPLES)
    return np.rint(np.stack([tone, -tone]) * 32768) / 32768


def encode(path: Path, codec: str, sample_format: str, tags: Mapping[str, str] = MappingProxyType({})) -> Path:
    av = pytest.importorskip("av", reason="PyAV is not installed (pip install '.[codecs]')")
    rate_hz = 48000 if codec == "libopus" else 44100
    options = {"movflags": "use_metadata_tags"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", format={".aac": "adts", ".wma": "asf"}.get(path.suffix), options=options) as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=rate_hz, layout="stereo")
        stream.codec_context.format = sample_format
        if codec == "wmav2":
            stream.bit_rate = 128_000
        resampler = av.AudioResampler(format=sample_format, layout="stereo", rate=rate_hz)
        samples = audio().astype(np.float32)
        for start in range(0, LENGTH_SAMPLES, 4096):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, start : start + 4096]), "fltp", "stereo")
            frame.sample_rate, frame.pts = rate_hz, start
            for changed in resampler.resample(frame):
                container.mux(stream.encode(changed))
        for changed in resampler.resample(None):
            container.mux(stream.encode(changed))
        container.mux(stream.encode(None))
    return path


def decoded(path: Path) -> np.ndarray:
    return np.concatenate(list(read_blocks(path, 10_000)), axis=1)


@pytest.mark.parametrize(("name", "codec", "sample_format"), LOSSLESS)
def test_lossless_files_are_read_to_the_last_bit(tmp_path: Path, name: str, codec: str, sample_format: str) -> None:
    path = encode(tmp_path / name, codec, sample_format)
    np.testing.assert_array_equal(decoded(path), audio())
    info = probe(path)
    assert (info.sample_rate_hz, info.channels, info.held_by) == (44100, 2, "PCM_16")
    assert form_of(info, Wish()).suffix == ".flac"


@pytest.mark.parametrize(("name", "codec", "sample_format"), LOSSY)
def test_lossy_files_lose_nothing_at_their_ends(tmp_path: Path, name: str, codec: str, sample_format: str) -> None:
    samples = decoded(encode(tmp_path / name, codec, sample_format))
    lost_by_encoder = 2048 if codec == "wmav2" else 100
    assert LENGTH_SAMPLES - lost_by_encoder <= samples.shape[1] <= LENGTH_SAMPLES + 4096
    # ADTS has no place for the encoder's delay; FFmpeg's decoder of WMA leaves out a frame that its encoder does not precede.
    delay = {"a.aac": 1024, "a.wma": -2048}.get(name, 0)
    assert _likeness(samples, delay) > 0.99


def _likeness(samples: np.ndarray, shift: int) -> float:
    there = samples[0, max(0, 40_000 + shift) :][:20_000]
    return float(np.corrcoef(audio()[0, 40_000:60_000], there)[0, 1])


def test_part_of_a_file_is_that_of_the_whole(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wv", "wavpack", "s16p")
    np.testing.assert_array_equal(read(path, 50_000, 1000), audio()[:, 50_000:51_000])


def test_result_is_flac_and_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = encode(tmp_path / "a.m4a", "alac", "s16p")
    assert restore.main(["sinc", str(path), "-o", str(tmp_path / "out"), "--strength", "0"]) == 0
    kept = "which keeps of tags and pictures the title, artist, album, comment, copyright, genre, date and number of a track"
    assert capsys.readouterr().err == f"note: {path}: .m4a files are read but not written; the result is FLAC, {kept}\n"
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out" / "a.flac")[0].T, audio())


def test_training_reads_them_too(tmp_path: Path) -> None:
    encode(tmp_path / "a.wv", "wavpack", "s16p")
    (recording,) = FolderSource(str(tmp_path)).recordings()
    assert recording.seconds == pytest.approx(LENGTH_SAMPLES / 44100)


@pytest.mark.parametrize(
    ("codec", "sample_format", "held_by", "suffix"),
    [("pcm_f32le", "flt", "FLOAT", ".wav"), ("pcm_s16le", "s16", "PCM_16", ".flac"), ("pcm_s24le", "s32", "PCM_24", ".flac")],
)
def test_samples_that_are_not_coded_keep_their_format(
    tmp_path: Path, codec: str, sample_format: str, held_by: str, suffix: str
) -> None:
    info = probe(encode(tmp_path / "a.mka", codec, sample_format))
    assert (info.held_by, form_of(info, Wish()).suffix) == (held_by, suffix)


@pytest.mark.parametrize("counted", ["0000000000000064", "7fffffffffffffff", "-64", "0"])
def test_length_that_a_tag_claims_wrongly_costs_no_sound(tmp_path: Path, counted: str) -> None:
    path = encode(tmp_path / "a.mp4", "aac", "fltp", {"iTunSMPB": f" 00000000 00000400 000001CC {counted}"})
    assert probe(path).frames >= LENGTH_SAMPLES - 100
    assert decoded(path).shape[1] >= LENGTH_SAMPLES - 100


def test_length_is_told_where_times_are_rounded_to_milliseconds(tmp_path: Path) -> None:
    assert probe(encode(tmp_path / "a.mka", "flac", "s16")).frames == pytest.approx(LENGTH_SAMPLES, abs=2 * 44.1)


def test_tracks_that_are_left_out_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed (pip install '.[codecs]')")
    path = tmp_path / "two.mka"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(2)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 8000, 0
            container.mux(stream.encode(frame))
    assert probe(path).frames == 4000
    assert f"{path}: holds 2 audio tracks; the first is taken" in caplog.messages


@pytest.mark.parametrize("taken", [0.5, 0.9])
@pytest.mark.parametrize("name", ["a.m4a", "a.wv"])
def test_truncated_files_are_named(tmp_path: Path, name: str, taken: float) -> None:
    path = encode(tmp_path / name, "alac" if name == "a.m4a" else "wavpack", "s16p")
    content = path.read_bytes()
    path.write_bytes(content[: int(taken * len(content))])
    with pytest.raises(AudioFileError, match=f"{name}: is (damaged|truncated)"):
        decoded(path)


def test_playlist_of_a_codec_name_is_no_audio(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed (pip install '.[codecs]')")
    (tmp_path / "a.aac").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", encoding="utf-8")
    with pytest.raises(AudioFileError, match="a.aac: (is damaged or of another kind|holds no)"):
        probe(tmp_path / "a.aac")


@pytest.mark.usefixtures("without_codecs")
def test_without_the_extra_the_remedy_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_bytes(b"ftypM4A")
    with pytest.raises(UnreadFormatError, match=r".m4a files are not read; pip install '.\[codecs\]' to read them, or convert"):
        probe(tmp_path / "a.m4a")

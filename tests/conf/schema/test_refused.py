"""What people wrote that was wrong, through the script itself: a sentence with the key, exit code 1, and no folder."""

import re
import shlex
import sys
from pathlib import Path

import pytest

import evaluate
import train
from conf.hydra_errors import as_sentence, unparsed
from sweeps.entry import enter

UNKNOWN = "must be .*; did you mean"
WRONG = [
    (["examples=many"], "examples=many must be a whole number from 0"),
    (["examples=-1"], "examples=-1 must be a whole number"),
    (["corruption=torchaudio", "corruption.effects=[]"], r"corruption.effects=\[\] must be a list of one or more entries"),
    (["corruption=torchaudio", "corruption.effects=[{overdrive: 3}]"], "corruption.effects=.* must be a list .* the name"),
    (["corruption=torchaudio", "corruption.effects=[{a: {}, b: {}}]"], "corruption.effects=.* must be a list of one or more"),
    (["corruption=callable"], "corruption.transform._target_=null must be the class of a callable: package.Class with plugins="),
    (["corruption=callable", "corruption.transform._target_=os.remove"], r"plugins names: plugins=\[os\]"),
    (["corruption=callable", "corruption.transform._target_=torch.tanh"], "torch.tanh must be the class of a callable"),
    (["trainer.limit_test_batches=0"], "trainer.limit_test_batches=0 must be a whole number from 1"),
    (["trainer.limit_train_batches=0"], "trainer.limit_train_batches=0 must be"),
    (["trainer.limit_val_batches=0"], "trainer.limit_val_batches=0 must be"),
    (["trainer.overfit_batches=true"], "trainer.overfit_batches=true must be a whole number from 0"),
    (["trainer.max_epochs=0"], "trainer.max_epochs=0 must be a whole number from 1"),
    (["trainer.max_epochs=x"], "trainer.max_epochs=x must be"),
    (["trainer.max_epochs=-1"], "trainer.max_epochs=-1 is without limit, and needs trainer.max_steps, or trainer.max_time"),
    (["trainer.max_time=-1"], "trainer.max_time=-1 must be a time above zero as DD:HH:MM:SS"),
    (["trainer.precision=64-true"], "trainer.precision=64-true must be auto, 32-true"),
    (["trainer=cpu", "trainer.devices=999"], "trainer.devices=999 must be at most .* cores"),
    (["trainer.devices=true"], "trainer.devices=true must be"),
    (["+trainer.callbacks=[]"], r"trainer.callbacks=\[\] is no key; add to the group callbacks"),
    (["trainer.callbacks=[]"], r"trainer.callbacks=\[\] is no key; add to the group callbacks"),
    (["trainer.gradient_clip_val=0.5"], "trainer.gradient_clip_val=0.5 is no key; use model.gradient_clip_norm"),
    (["trainer.accumulate_grad_batches=0"], "trainer.accumulate_grad_batches=0 must be a whole number from 1"),
    (["trainer.detect_anomaly=maybe"], "trainer.detect_anomaly=maybe must be true or false"),
    (["model.optimizer.eps=1e-7"], r"model.optimizer.eps is set in no file that is chosen; \+model.optimizer.eps=VALUE adds it"),
    (["+trainer.logger=false"], "trainer.logger=false is no key; choose with logger=csv"),
    (["trainer.fast_dev_run=some"], "trainer.fast_dev_run=some must be true or false, or a whole number from 1"),
    (["trainer.fast_dev_run=-1"], "trainer.fast_dev_run=-1 must be"),
    (["trainer.max_steps=0"], "trainer.max_steps=0 must be a whole number from 1"),
    (["trainer.max_steps=many"], "trainer.max_steps=many must be"),
    (["trainer.max_steps=1.5"], "trainer.max_steps=1.5 must be"),
    (["trainer.overfit_batches=-1"], "trainer.overfit_batches=-1 must be"),
    (["trainer.overfit_batches=1.5"], "trainer.overfit_batches=1.5 must be"),
    (["trainer.val_check_interval=0"], "trainer.val_check_interval=0 must be"),
    (
        ["trainer.val_check_interval=50", "trainer.check_val_every_n_epoch=2"],
        "trainer.check_val_every_n_epoch=2 must be 1 beside trainer.val_check_interval=50",
    ),
    (["scheduler@model.scheduler=cosine", "trainer.max_time=0:1:0"], "trainer.max_time=0:1:0 must be a time above zero"),
    (
        [
            "callbacks=early_stopping",
            "+callbacks.early_stopping.check_on_train_epoch_end=true",
            "trainer.check_val_every_n_epoch=2",
        ],
        "callbacks.early_stopping.check_on_train_epoch_end=true must be null beside trainer.check_val_every_n_epoch=2",
    ),
    (["trainer.max_time=0:1:0:0"], "trainer.max_time=0:1:0:0 must be a time above zero"),
    (["model.optimizer.lr=fast"], "model.optimizer.lr=fast must be a number from 0 to 10"),
    (["model.optimizer.lr=null"], "model.optimizer.lr=null must be"),
    (["model.optimizer.lr=[]"], r"model.optimizer.lr=\[\] must be"),
    (["model.net.dropout=nan"], "model.net.dropout=nan must be a number"),
    (["model.loss_weights.l1=-1"], "model.loss_weights.l1=-1 must be"),
    (["+model.loss_weights.l3=1"], "model.loss_weights.l3=1 is no key; model.loss_weights has l2, l1, log_mse, mr_stft and deep"),
    (["seed=null"], "seed=null must be a whole number"),
    (["seed=1.5"], "seed=1.5 must be"),
    (["seed=abc"], "seed=abc must be"),
    (["ema_decay=slow"], "ema_decay=slow must be a number above 0 and below 1, or null"),
    (["early_stopping_patience=-1"], r"callbacks.early_stopping.patience=-1 must be"),
    (["baselines=null"], "baselines=null must be a list"),
    (["baselines=[weiner]"], r"baselines\[0\]=weiner must be .*; did you mean wiener"),
    (["objectives=[val/foo]"], r"objectives=\[val/foo\] must be a list of one or more entries, each val/snr_db"),
    (["monitor=test/lsd"], "monitor=test/lsd must be val/snr_db"),
    (["monitor=val/lsd"], "set mode=min"),
    (["data.window_samples=1e4"], "data.window_samples=10000.0 must be a whole number .*; write 10000"),
    (["data.silence_db=loud"], "data.silence_db=loud must be a number"),
    (["data.sample_rate=16000.5"], "data.sample_rate=16000.5 must be a whole number from 4000 to 200000"),
    (["data.sample_rate=44.1k"], "data.sample_rate=44.1k must be a whole number from 4000 to 200000 .Hz."),
    (["data.batch_size=abc"], "data.batch_size=abc must be"),
    (["data.eval_seconds=four"], "data.eval_seconds=four must be"),
    (["data.cache=maybe"], "data.cache=maybe must be true or false, or stream"),
    (["data.root="], "data.root='' must be a folder, and not empty .an unset variable"),
    (["data=folder", "data.root="], "data.root='' must be"),
    (["data.level_db=[6,-6]"], r"data.level_db=\[6, -6\] must be .* low not above high"),
    (["corruption=dereverb", "corruption.t60_s=100000"], "corruption.t60_s=100000 must be .* at most 20"),
    (["corruption.snr_db=[20,0]"], r"corruption.snr_db=\[20, 0\] must be"),
    (["corruption.colors=[wite]"], "did you mean white"),
    (["run_name="], "run_name='' must be a name for a folder"),
    (["run_name=../../x"], "run_name=../../x must be"),
    (["run_name=/x"], "run_name=/x must be"),
    (["run_name='a:b'"], "run_name=a:b must be .*; a:b holds ':', which Windows cannot store"),
    (["run_name=a/nul.txt"], "run_name=a/nul.txt must be .*; nul.txt is a device of Windows"),
    (["run_name=a."], "run_name=a. must be .*; a. ends in '.', which Windows cannot store"),
    (["resume="], "resume='' must be"),
    (["corruption._target_=os.getcwd"], r"corruption._target_=os.getcwd must be a class of this project, .* plugins=\[os\]"),
    (["corruption._target_=models.unet.UNet"], "corruption._target_=models.unet.UNet must be the class of a corruption"),
    (["plugins=[../x]"], "plugins"),
    (["model=null"], "model is missing"),
    (["model=unet_smal"], "model=unet_smal must be .*; did you mean unet_small"),
    (["data=folders"], "data=folders must be .*; did you mean folder"),
    (["corruption=noisy"], "corruption=noisy must be .*; did you mean noise"),
    (["logger=wandb", "logger.entity=NAME"], "logger.entity is no key of this configuration; did you mean logger.wandb.entity"),
    (["logger=csv", "logger.flush_logs_every_n_steps=1"], "did you mean logger.csv.flush_logs_every_n_steps"),
    (["data.rot=x"], "data.rot is no key of this configuration; did you mean data.root"),
    (["data.max_recordings=[1]"], r"data.max_recordings=\[1\] must be a group of the keys train, val and test"),
    (["++model.warm_up=[1]", "model=mugan_small"], r"model.warm_up=\[1\] must be a group of the keys steps, .*"),
    (["baselines={a:1}"], "baselines={a:1} must be a list"),
    (["scheduler@model.scheduler=cosine", "model.scheduler.T_max=null"], "model.scheduler.T_max=null must be"),
    (["trainer=3"], "trainer=3 must be auto, .*cpu"),
    (["data=[1]"], r"data=\[1\] must be .*folder"),
    (["++choices=1.5"], "choices=1.5 must not be given: it follows model=NAME"),
    (["plugins=[null]"], r"plugins=\[null\] must be a list of"),
    (["data.cache_dir=true"], "data.cache_dir=true must be a folder"),
    (["data.root=a=b, (x) #1"], "data.root=a=b, .* is not understood; put the value into quotes"),
    (["scheduler@model.schedule=cosine"], "scheduler@model.schedule=cosine must not be .*; there is scheduler@model.scheduler"),
    (["data=folder", "data.root=/nonexistent/folder"], "data.root=/nonexistent/folder is not a folder"),
]
EVALUATED = [
    (["model=sinc", "trainer=smoke"], "steps says how many, and trainer=smoke is for train.py"),
    (["checkpoint="], "checkpoint='' must be a checkpoint file or a run folder, and not empty"),
    ([], "either checkpoint=PATH or model=NAME"),
    (["model=wiener", "steps=4"], "steps=4 must be a list"),
    (["model=wiener", "monitor=test/sisdr"], "monitor=test/sisdr must be .*; did you mean test/si_sdr_db"),
    (["model=wiener", "trainer.precision=16-true"], "trainer.precision=16-true must be 32-true"),
    (["model=wiener", "trainer.detect_anomaly=true"], "trainer.detect_anomaly=true is no key"),
    (["checkpoint=/nonexistent.ckpt"], "/nonexistent.ckpt"),
    (["callbacks=profiler"], "callbacks=profiler must not be given: .*; there is trainer, model, corruption, data and logger"),
    (["~callbacks"], "~callbacks must not be given: callbacks is no choice of this configuration; there is trainer"),
]


def refused(script: object, arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a script in an empty folder, check that the folder stays empty, and return the exit code."""
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
    monkeypatch.chdir(folder)
    try:
        code = enter(script.run)  # type: ignore[attr-defined]
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert list(folder.iterdir()) == []
    return code


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_training_is_one_sentence_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(train, [*arguments, "logger=csv"], tmp_path, monkeypatch) == 1
    assert_sentence(capsys.readouterr().err, message)


@pytest.mark.parametrize(("arguments", "message"), EVALUATED, ids=[" ".join(arguments) for arguments, _ in EVALUATED])
def test_wrong_evaluation_is_one_sentence_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(evaluate, arguments, tmp_path, monkeypatch) == 1
    assert_sentence(capsys.readouterr().err, message)


def test_folder_that_is_named_is_not_made_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["seed=abc"], ["data=folder", "data.root=/nonexistent"]):
        assert refused(train, [*arguments, "hydra.run.dir=deep/er/run"], tmp_path, monkeypatch) == 1


def test_folder_that_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "data=folder", "data.root=/nonexistent", "hydra.run.dir=there"])
    (tmp_path / "there").mkdir()
    with pytest.raises(SystemExit):
        enter(train.run)
    assert (tmp_path / "there").is_dir()


def assert_sentence(stderr: str, message: str) -> None:
    lines = [line for line in stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, stderr

    assert re.search(message, lines[0]), lines[0]
    assert lines[0].startswith("error: ")


def test_quoting_that_is_advised_is_understood() -> None:

    from hydra.core.override_parser.overrides_parser import OverridesParser

    for value in ("a=b, (x) #1", "it's", 'say "x"', "a, b", "[x"):
        advised = shlex.split(unparsed(f"data.root={value}").rpartition("shell: ")[2])
        (override,) = OverridesParser.create().parse_overrides(advised)
        assert override.value() == value.strip("\"'")


def test_other_errors_keep_their_words() -> None:
    assert as_sentence(ValueError("as it is"), ()) == "as it is"

// Plays one of several versions of a sound in a loop; switching goes on at the same position, with a cross-fade of 10 ms.
"use strict";

const FADE_SECONDS = 0.01;

class Player {
  constructor(rate) {
    this.rate = rate;
    this.decoded = new Map(); // clip name -> promise of an AudioBuffer
    this.versions = [];
    this.current = null;
    this.node = null;
    this.playing = false;
    this.offset = 0; // seconds, while paused
    this.started = 0; // time of the context at which position 0 was, while playing
    this.request = 0;
    this.onchange = () => {};
  }

  get context() {
    this.made ??= new AudioContext({ sampleRate: this.rate });
    return this.made;
  }

  get position() {
    if (!this.playing) return this.offset;
    const seconds = (this.context.currentTime - this.started) % this.seconds;
    return seconds < 0 ? seconds + this.seconds : seconds;
  }

  // Take another example: {seconds, versions: [{id, clip, gain}]}.
  open(example) {
    this.pause();
    this.request += 1; // what still loads belongs to the last example
    this.versions = example.versions;
    this.seconds = example.seconds;
    this.offset = 0;
    this.current = null;
  }

  buffer(version) {
    const { clip } = version;
    if (!this.decoded.has(clip)) {
      this.decoded.set(
        clip,
        loadClip(clip).then((data) => this.context.decodeAudioData(data.slice(0))),
      );
    }
    return this.decoded.get(clip);
  }

  // Switch to a version; resolves when it is heard. A later request overtakes an earlier one that still loads.
  async select(id) {
    const version = this.versions.find((one) => one.id === id);
    this.request += 1;
    const { request } = this;
    const buffer = await this.buffer(version);
    if (request !== this.request) return;
    this.current = version;
    if (this.playing) this.sound(buffer);
    this.onchange();
  }

  sound(buffer) {
    const when = this.context.currentTime + 0.005;
    this.fade(when);
    const source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    const volume = new GainNode(this.context, { gain: 0 });
    source.connect(volume).connect(this.context.destination);
    volume.gain.setValueAtTime(0, when);
    volume.gain.linearRampToValueAtTime(this.current.gain, when + FADE_SECONDS);
    source.start(when, (when - this.started) % this.seconds);
    this.node = { source, volume, gain: this.current.gain };
  }

  fade(when) {
    if (!this.node) return;
    const { source, volume, gain } = this.node;
    volume.gain.cancelScheduledValues(when);
    volume.gain.setValueAtTime(gain, when);
    volume.gain.linearRampToValueAtTime(0, when + FADE_SECONDS);
    source.stop(when + FADE_SECONDS);
    this.node = null;
  }

  async play() {
    if (this.playing || !this.current) return;
    const buffer = await this.buffer(this.current);
    await this.context.resume();
    if (this.playing) return;
    this.started = this.context.currentTime + 0.005 - this.offset;
    this.playing = true;
    this.sound(buffer);
    this.onchange();
  }

  pause() {
    if (!this.playing) return;
    this.offset = this.position;
    this.playing = false;
    this.fade(this.context.currentTime);
    this.onchange();
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  async seek(seconds) {
    const target = Math.min(Math.max(seconds, 0), this.seconds - 0.001);
    if (!this.playing) this.offset = target;
    else {
      const buffer = await this.buffer(this.current);
      this.started = this.context.currentTime + 0.005 - target;
      this.sound(buffer);
    }
    this.onchange();
  }
}

const typing = (event) =>
  event.target.matches("input[type=text], select, textarea") || event.ctrlKey || event.metaKey || event.altKey;

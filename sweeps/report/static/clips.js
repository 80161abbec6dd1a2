// The sounds: in the page, or in scripts beside it that are loaded when they are first needed (a page opened from a disk may run
// a script beside it, but may not read a file).
"use strict";

const CLIPS = new Map(); // name -> promise of the bytes of a FLAC file
const waiting = new Map();

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

function clarionClip(name, text) {
  waiting.get(name)?.(bytes(text));
}

function fetchClip(name) {
  const inline = document.getElementById(`clip-${name}`);
  if (inline) return Promise.resolve(bytes(inline.textContent));
  return new Promise((resolve, reject) => {
    waiting.set(name, resolve);
    const failed = () => reject(new Error(`audio/${name}.js cannot be loaded; keep the folder audio/ beside this page`));
    document.head.append(html("script", { src: `audio/${name}.js`, onerror: failed }));
  });
}

function loadClip(name) {
  if (!CLIPS.has(name)) CLIPS.set(name, fetchClip(name));
  return CLIPS.get(name);
}

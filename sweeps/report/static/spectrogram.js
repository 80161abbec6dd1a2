// Draws the spectrogram of a decoded sound: Hann window of 1024 samples, 80 dB below the loudest of the clean version.
"use strict";

const FFT_SAMPLES = 1024;
const RANGE_DB = 80;
const MAGMA = [
  [0, 0, 4],
  [59, 15, 112],
  [140, 41, 129],
  [222, 73, 104],
  [254, 159, 109],
  [252, 253, 191],
];

// In-place radix-2 transform of real and imaginary parts.
function transform(real, imaginary) {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [real[i], real[j]] = [real[j], real[i]];
  }
  for (let span = 2; span <= size; span *= 2) {
    for (let k = 0; k < span / 2; k += 1) {
      const [c, s] = [Math.cos((2 * Math.PI * k) / span), -Math.sin((2 * Math.PI * k) / span)];
      for (let i = k; i < size; i += span) {
        const j = i + span / 2;
        const [r, m] = [real[j] * c - imaginary[j] * s, real[j] * s + imaginary[j] * c];
        [real[j], imaginary[j]] = [real[i] - r, imaginary[i] - m];
        real[i] += r;
        imaginary[i] += m;
      }
    }
  }
}

function powers(signal, gain, columns) {
  const window = Float64Array.from({ length: FFT_SAMPLES }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FFT_SAMPLES));
  return Array.from({ length: columns }, (_, column) => {
    const start = Math.round((column / Math.max(1, columns - 1)) * signal.length - FFT_SAMPLES / 2);
    const real = Float64Array.from(window, (weight, n) => weight * gain * (signal[start + n] ?? 0));
    const imaginary = new Float64Array(FFT_SAMPLES);
    transform(real, imaginary);
    return Float64Array.from(
      { length: FFT_SAMPLES / 2 },
      (_, bin) => 10 * Math.log10(real[bin] ** 2 + imaginary[bin] ** 2 + 1e-12),
    );
  });
}

const COLORS = Array.from({ length: 256 }, (_, n) => {
  const at = (n / 255) * (MAGMA.length - 1);
  const low = Math.min(Math.floor(at), MAGMA.length - 2);
  return MAGMA[low].map((value, i) => value + (MAGMA[low + 1][i] - value) * (at - low));
});

// Of `columns`, keep the loudest bin.
const loudest = (columns) => columns.reduce((top, column) => column.reduce((high, value) => Math.max(high, value), top), -120);

function paint(canvas, columns, topDb) {
  const height = FFT_SAMPLES / 2;
  [canvas.width, canvas.height] = [columns.length, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns.length, height);
  columns.forEach((column, x) =>
    column.forEach((value, bin) => {
      const level = Math.max(0, Math.min(255, Math.round((1 + (value - topDb) / RANGE_DB) * 255)));
      const at = 4 * ((height - 1 - bin) * columns.length + x);
      image.data.set(COLORS[level], at);
      image.data[at + 3] = 255;
    }),
  );
  context.putImageData(image, 0, 0);
}

// Tones for the light: approved rises, waiting is two low even beats, a question is one soft note.
// They differ in rhythm and direction, not only in pitch, so that they can be told apart in a noisy place.
const TONES = {
  approved: [[0, 523.25, 0.11], [0.1, 659.25, 0.11], [0.2, 1046.5, 0.22]],
  waiting: [[0, 311.13, 0.14], [0.24, 311.13, 0.14]],
  asks: [[0, 440, 0.18]],
};
const LOUDNESS = 0.16;
let context;

function note(start, frequency_hz, length_s) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.type = "triangle";
  oscillator.frequency.value = frequency_hz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.012);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + length_s);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + length_s);
}

/** Play the tone of a ring's state; states without a tone stay silent. */
export function play(state) {
  const tones = TONES[state];
  if (!tones || !globalThis.AudioContext) return;
  // Browsers start audio only after a gesture. Waiting for it would play an old verdict late: stay silent instead.
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  const now = context.currentTime + 0.02;
  for (const [after, frequency_hz, length_s] of tones) note(now + after, frequency_hz, length_s);
}

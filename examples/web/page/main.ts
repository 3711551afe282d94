/**
 * Looks at pictures of road signs with networks that `dnnc build --target wasm32` wrote, and lets the scheduler choose a variant
 * for every question about every picture, so that an energy budget lasts a minute.
 */
import {loadWasm} from 'dnnc/wasm';
import {beginDay, length, mostEnergy, problemHere} from './day.js';
import {frameOf} from './frames.js';
import {measure} from './measure.js';
import {answersTable, element, millijoules, percent, say, variantsTable} from './view.js';

const seed = Number(new URLSearchParams(location.search).get('seed') ?? 42);

/** Where serve.ts has the build. */
const directory = '/model/';

async function start(): Promise<void> {
  const started = performance.now();
  const session = await loadWasm(directory);
  const {manifest} = session;
  const loaded = performance.now() - started;
  const times = await measure(session, frameOf(seed, 0).picture, id => say(`Timing ${id} …`));
  const tasks = Object.keys(manifest.tasks);
  const showAnswer = answersTable(tasks);
  const showChosen = variantsTable(manifest, times);
  say(`${tasks.length} questions, ${manifest.variants.length} networks, loaded in ${loaded.toFixed(0)} ms.`);

  const [play, next] = [element('play', 'button'), element('next', 'button')];
  const [budget, rate] = [element('budget', 'input'), element('rate', 'select')];
  const canvas = element('frame', 'canvas').getContext('2d')!;

  let problem = problemHere(manifest, times, Number(rate.value));
  let day = newDay();
  let [index, seconds, isPlaying] = [0, 0, true];
  let due = performance.now();
  const asked = new Map(tasks.map(task => [task, 0]));
  const right = new Map(tasks.map(task => [task, 0]));
  const chosen = new Map(manifest.variants.map(({id}) => [id, 0]));

  function newDay() {
    const share = Number(budget.value) / 100;
    const energy = share * mostEnergy(problem);
    element('budget-text', 'output').textContent = `${millijoules(energy)}, ${percent(share)} of the most`;
    return beginDay(problem, energy);
  }

  function look(): void {
    const {picture, truth} = frameOf(seed, index++);
    canvas.putImageData(new ImageData(picture.data, picture.width), 0, 0);
    for (const task of tasks) {
      const variant = day.choose(task, seconds);
      const wanted = truth.get(task) ?? '';
      let [answer, milliseconds]: [string | null, number | null] = [null, null];
      if (variant !== null) {
        const began = performance.now();
        answer = session.run(task, picture, {variant}).label ?? '';
        milliseconds = performance.now() - began;
        chosen.set(variant, chosen.get(variant)! + 1);
      }
      asked.set(task, asked.get(task)! + 1);
      if (answer === wanted) right.set(task, right.get(task)! + 1);
      showAnswer(task, {answer, truth: wanted, variant, milliseconds}, right.get(task)! / asked.get(task)!);
    }
    for (const {id, task} of manifest.variants) showChosen(id, chosen.get(id)! / asked.get(task)!);
    seconds += 1 / Number(rate.value);
    showDay();
    document.body.dataset.pictures = String(index);
  }

  function showDay(): void {
    const left = day.state.left.energy;
    Object.assign(element('time-left', 'meter'), {max: length, value: Math.max(0, length - seconds)});
    Object.assign(element('energy-left', 'meter'), {max: day.energy, value: left});
    element('time-text', 'span').textContent = `${Math.max(0, length - seconds).toFixed(0)} s`;
    element('energy-text', 'span').textContent = millijoules(left);
    const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
    element('accuracy', 'dd').textContent = `${percent(sum(right) / Math.max(1, sum(asked)))} of ${sum(asked)}`;
    if (seconds >= length) restart();
  }

  function restart(): void {
    problem = problemHere(manifest, times, Number(rate.value));
    day = newDay();
    seconds = 0;
  }

  function setPlaying(wanted: boolean): void {
    isPlaying = wanted;
    play.textContent = isPlaying ? 'Pause' : 'Go on';
    due = performance.now();
  }

  play.addEventListener('click', () => setPlaying(!isPlaying));
  next.addEventListener('click', look);
  for (const control of [budget, rate]) control.addEventListener('input', restart);
  document.addEventListener('keydown', ({key, target, ctrlKey, metaKey, altKey}) => {
    const isControl = target instanceof HTMLElement && target.matches('button, input, select');
    if (ctrlKey || metaKey || altKey) return;
    if (key === ' ' && !isControl) setPlaying(!isPlaying);
    if (key === 'n' && !(target instanceof HTMLSelectElement)) look();
  });

  /** One picture at a time: a page that cannot keep up falls behind instead of standing still. */
  function tick(now: number): void {
    if (isPlaying && now >= due) {
      due = Math.max(due + 1000 / Number(rate.value), now);
      look();
    }
    requestAnimationFrame(tick);
  }
  requestAnimationFrame(tick);
}

start().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error), true);
});

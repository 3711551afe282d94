/** The four questions about one image. A label is an index into these lists. */
export const tasks = {
  shape: ['triangle', 'circle', 'diamond', 'octagon', 'inverted triangle', 'square'],
  colour: ['red', 'blue', 'yellow', 'white', 'green'],
  number: ['none', '20', '30', '40', '50', '60', '70', '80', '90', '100', '120'],
  weather: ['clear', 'rain', 'fog', 'night', 'snow'],
} as const;

export type Task = keyof typeof tasks;
export type Shape = (typeof tasks)['shape'][number];
export type Colour = (typeof tasks)['colour'][number];
export type Weather = (typeof tasks)['weather'][number];
export type Labels = Readonly<Record<Task, number>>;

export const taskNames: readonly Task[] = ['shape', 'colour', 'number', 'weather'];

/** The class a label stands for. */
export function nameOf<T extends Task>(task: T, label: number): (typeof tasks)[T][number] {
  const name = tasks[task][label];
  if (name === undefined) throw new RangeError(`${task}: label ${label} is not in 0..${tasks[task].length - 1}`);
  return name;
}

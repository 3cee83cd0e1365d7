// Takes from a module what would let a fold give another state at another time or place: moments,
// chance, and the machine's time zone. It runs before the module, which finds nothing else.
(() => {
  "use strict";
  const refuse = (what) => {
    throw new TypeError(
      `${what} is refused, since a fold gives the same state whenever it runs: take it from the event`,
    );
  };
  const set = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  // Nothing runs behind the fold.
  delete globalThis.queueMicrotask;

  set(Math, "random", () => refuse("Math.random()"));

  const Given = Date, proto = Given.prototype, parse = Given.parse, utc = Given.UTC;
  const hasZone = /(Z|[+-]\d\d:?\d\d|GMT|UTC)(\s*\(.*\))?\s*$/i, isDate = /^\s*\d{4}(-\d\d){0,2}\s*$/;
  const moment = (text) =>
    hasZone.test(text) || isDate.test(text) ? parse(text) : refuse(`A moment without its offset (${text})`);

  const Pure = function Date(...given) {
    if (new.target === undefined) refuse("Date()");
    if (given.length === 0) refuse("new Date() without a moment");
    let value = given[0];
    if (given.length > 1) value = utc(...given);
    else if (value instanceof Given) value = proto.getTime.call(value);
    else if (typeof value !== "number") value = moment(String(value));
    return Reflect.construct(Given, [value], new.target);
  };
  set(Pure, "length", 7);
  set(Pure, "UTC", utc);
  set(Pure, "parse", (text) => moment(String(text)));
  set(Pure, "now", () => refuse("Date.now()"));
  set(Given, "now", () => refuse("Date.now()"));
  Object.defineProperty(Pure, "prototype", { value: proto, writable: false });
  set(proto, "constructor", Pure);
  set(globalThis, "Date", Pure);

  // What is local is that of UTC.
  for (const part of ["FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds"]) {
    set(proto, `get${part}`, proto[`getUTC${part}`]);
    set(proto, `set${part}`, proto[`setUTC${part}`]);
  }
  set(proto, "getDay", proto.getUTCDay);
  set(proto, "getTimezoneOffset", () => 0);
  const text = proto.toUTCString;
  for (const name of ["String", "DateString", "TimeString", "LocaleString", "LocaleDateString", "LocaleTimeString"]) {
    set(proto, `to${name}`, function () { return text.call(this); });
  }
  delete proto.getYear;
  delete proto.setYear;
})();

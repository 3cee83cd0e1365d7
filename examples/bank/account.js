// What an account comes to: a fold of its stream, `account-<id>`, from the first event to any other.

export const initial = { balance: 0, limit: 0, bookings: 0, last: null };

export function evolve(state, event) {
  if (event.type === "AccountOpened") {
    return { ...state, limit: event.data.limit };
  }
  const { cents, text } = event.data;
  return { ...state, balance: state.balance + cents, bookings: state.bookings + 1, last: text };
}

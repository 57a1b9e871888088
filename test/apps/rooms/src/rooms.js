import { createElement, useEffect, useState } from "react";

/** What the API of the same environment says. */
export function Rooms() {
  const [rooms, setRooms] = useState([]);
  useEffect(() => {
    fetch("/api/rooms")
      .then((response) => response.json())
      .then((answer) => setRooms(answer.rooms))
      .catch((error) => setRooms([{ name: String(error) }]));
  }, []);
  const items = rooms.map(({ name }) =>
    createElement("li", { key: name, className: "room" }, name),
  );
  return createElement("ul", null, items);
}

"""Photos from bytes on the network to an object's name: fetched guardedly, decoded before they are believed."""

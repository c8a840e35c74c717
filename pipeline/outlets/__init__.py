"""Where events go besides their file: a store that can be searched, an MQTT broker, a web address."""

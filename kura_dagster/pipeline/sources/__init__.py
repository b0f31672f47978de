"""Reading conversations from the formats people have them in, as a stream in which nothing is lost.

`reading.read_source` opens a file of any format and yields a record for each conversation: `Read`, or `Unusable` with a
reason. One module a format says where that format keeps things; `normalise` is the only place that says what is a
valid conversation; `json_records` cuts JSON files into records. Where the conversations go is the landing zone's work.
"""

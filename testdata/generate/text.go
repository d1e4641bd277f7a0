package main

import "strings"

// message joins clauses to what a customer might write.
func (s *source) message(all []intent, clauses []clause) string {
	var b strings.Builder
	b.WriteString(s.oneOf(openings()))
	for i, c := range clauses {
		if i > 0 {
			b.WriteString(s.oneOf(joints()))
		}
		b.WriteString(s.expand(all[c.intent].clauses[c.number]))
	}
	b.WriteString(s.oneOf(closings()))
	text := s.mistype(b.String())
	if s.happens(0.15) {
		return strings.ToLower(text)
	}
	return text
}

func (s *source) oneOf(texts []string) string { return texts[s.index(len(texts))] }

// expand fills the slots of a clause.
func (s *source) expand(text string) string {
	words := slots()
	for {
		before, rest, found := strings.Cut(text, "{")
		if !found {
			return text
		}
		name, after, _ := strings.Cut(rest, "}")
		text = before + s.oneOf(words[name]) + after
	}
}

// mistype swaps two neighbouring letters in about one of fifty longer words.
func (s *source) mistype(text string) string {
	const longer, rate = 5, 0.02
	words := strings.Split(text, " ")
	for i, w := range words {
		if len(w) < longer || !s.happens(rate) {
			continue
		}
		letters := []byte(w)
		at := 1 + s.index(len(w)-3)
		letters[at], letters[at+1] = letters[at+1], letters[at]
		words[i] = string(letters)
	}
	return strings.Join(words, " ")
}

func openings() []string {
	return []string{
		"", "", "", "", "", "Hi, ", "Hello, ", "Hey, ", "Good morning, ", "Good evening, ", "Dear team, ", "Please help: ",
		"Quick question: ", "Hi there - ", "Hello again, ", "Urgent! ", "Sorry to bother you, but ", "Hope you are well. ",
		"I wrote last week already: ", "Not sure whom to ask, ", "My second message now, ", "Hi support, ",
	}
}

func joints() []string {
	return []string{". ", ". ", ", and ", "; ", ". Also, ", " - ", ", so ", ". By the way, ", "! ", ". On top of that, "}
}

func closings() []string {
	return []string{
		"", "", "", "", ".", ".", "!", "?", ". Thanks", ". Thank you!", ". Please advise", ". Can you help?", ". Best regards",
		". What should I do now?", ". Waiting for your answer", ". Any news?", " please",
		". Call me back when you can", ". This is getting annoying", ". Many thanks, have a nice day", ", cheers",
	}
}

// slots lists what a clause's {slots} are filled with.
func slots() map[string][]string {
	return map[string][]string{
		"day": {
			"yesterday", "today", "this morning", "last night", "on Monday", "on Tuesday", "on Friday", "over the weekend",
			"two days ago", "last week", "an hour ago", "on Sunday",
		},
		"place": {
			"on the train", "in a taxi", "at the gym", "at the airport", "in a cafe", "on the bus", "at the beach", "in the park",
			"at the cinema", "in the library", "at a festival", "at the station", "in a hotel", "on the ferry",
		},
		"shop": {
			"the supermarket", "a petrol station", "the pharmacy", "a bookshop", "the bakery", "an online shop", "the ticket machine",
			"a restaurant", "the hardware store", "a hotel", "the car rental desk", "a shoe shop", "the garden centre",
		},
		"item": {
			"jacket", "kettle", "headphones", "train ticket", "bicycle lamp", "coffee grinder", "desk chair", "winter coat",
			"guitar strings", "backpack", "phone case", "garden hose", "board game", "lamp", "pair of boots", "concert ticket",
		},
		"sum": {
			"12.50", "8.99", "45", "129", "3.20", "67.40", "250", "19.95", "5", "31.10", "84", "410", "15.75", "99.99",
		},
		"device": {"phone", "laptop", "tablet", "new phone", "work computer", "old phone", "watch"},
		"month":  {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"},
		"land":   {"Portugal", "Norway", "Japan", "Canada", "Greece", "Kenya", "Chile", "Ireland", "Vietnam", "Poland"},
	}
}
